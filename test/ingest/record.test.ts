import { expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync, ClerkTables } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { eventIn, forgetBody } from '../support/ledger.ts'

const T = 1_800_000_000_000

/** A user as of `T + at`. */
const user = (id: string, at: number, data: object = {}): ClerkEvent =>
  eventOf('user.updated', { id, created_at: T, updated_at: T + at, ...data }, T + at + 10)

const userDeleted = (id: string, at: number): ClerkEvent => ({
  ...eventOf('user.deleted', {}, T + at),
  data: { id, object: 'user', deleted: true },
})

const organization = (id: string, at: number, data: object = {}): ClerkEvent =>
  eventOf('organization.updated', { id, created_at: T, updated_at: T + at, ...data }, T + at + 10)

const organizationDeleted = (id: string, at: number): ClerkEvent => ({
  ...eventOf('organization.deleted', {}, T + at),
  data: { id, object: 'organization', deleted: true },
})

function membership(
  type: 'created' | 'updated' | 'deleted',
  id: string,
  at: number,
  data: object = {},
): ClerkEvent {
  return eventOf(
    `organizationMembership.${type}`,
    { id, created_at: T, updated_at: T + at, ...data },
    T + at + 10,
  )
}

function belongsTo(organizationId: string, userId: string): object {
  return { organization: { id: organizationId }, public_user_data: { user_id: userId } }
}

async function find<Table extends keyof ClerkTables>(sync: ClerkSync, table: Table, id: string) {
  const { rows } = await sync.database.executeQuery<ClerkTables[Table] & Record<string, unknown>>(
    sync.database
      .selectFrom(table as 'users')
      .selectAll()
      .where('id', '=', id)
      .compile() as never,
  )
  return rows[0]
}

describeEachDatabase('recording a delivery', (database) => {
  it('applies an event before it is acknowledged', async () => {
    const sync = await database.open()
    const receipt = await deliver(sync, user('user_applied', 0, { first_name: 'Ada' }))
    expect(receipt).toMatchObject({
      outcome: 'applied',
      reason: null,
      resource: 'users',
      resourceId: 'user_applied',
    })
    expect(await find(sync, 'users', 'user_applied')).toMatchObject({
      first_name: 'Ada',
      primary_email_address: 'ada@example.com',
      event_id: receipt.svixId,
      deleted_at: null,
      clerk_updated_at: new Date(T),
      observed_at: new Date(T + 10),
      instance_id: 'ins_3AcmeDev000000000000000001',
    })
  })

  it('keeps the bytes of the body and the exact text of the resource', async () => {
    const sync = await database.open()
    const data =
      '{ "id":"user_exact", "updated_at":1.8e12, "unsafe_metadata":{"n":12345678901234567890,"é":"\\u00e9\\/"} }'
    const body = `{"type":"user.updated",\n "data" : ${data} ,"timestamp":1800000000000}`
    const { svixId } = await deliver(sync, body as never)
    const event = await eventIn(sync, svixId)
    expect(Buffer.from(event.body as Uint8Array).toString()).toBe(body)
    const { rows } = await sync.database.executeQuery<{ raw: string }>(
      sync.database
        .selectFrom('users')
        .select((q) => q.cast<string>('raw', 'text').as('raw'))
        .where('id', '=', 'user_exact')
        .compile(),
    )
    expect(rows[0]?.raw).toBe(data)
  })

  it('counts a redelivery as a duplicate', async () => {
    const sync = await database.open()
    const event = user('user_twice', 0)
    const first = await deliver(sync, event, { id: 'msg_twice' })
    const second = await deliver(sync, event, { id: 'msg_twice' })
    expect([first.outcome, second.outcome]).toEqual(['applied', 'duplicate'])
    expect(await find(sync, 'events', 'msg_twice')).toMatchObject({
      deliveries: 2,
      body_conflict: false,
      outcome: 'applied',
    })
  })

  it('recognises a redelivery more than a day later, when the body is no longer kept', async () => {
    const sync = await database.open()
    const event = user('user_day_later', 0)
    await deliver(sync, event, { id: 'msg_day_later' })
    await forgetBody(sync, 'msg_day_later')
    // Svix tries for the last time after 27 h 35 min, and by hand for 90 days.
    const at = new Date(Date.now() + 90 * 86_400_000)
    const later = await database.open({ now: () => at.getTime() })
    expect(await deliver(later, event, { id: 'msg_day_later', at })).toMatchObject({ outcome: 'duplicate' })
    expect(await find(sync, 'events', 'msg_day_later')).toMatchObject({
      deliveries: 2,
      body_conflict: false,
    })
  })

  it('keeps the first body and flags the conflict when one id comes with two bodies', async () => {
    const sync = await database.open()
    await deliver(sync, user('user_conflict', 0, { first_name: 'First' }), { id: 'msg_conflict' })
    const second = await deliver(sync, user('user_conflict', 5, { first_name: 'Second' }), {
      id: 'msg_conflict',
    })
    expect(second.outcome).toBe('duplicate')
    expect(await find(sync, 'events', 'msg_conflict')).toMatchObject({ deliveries: 2, body_conflict: true })
    expect(await find(sync, 'users', 'user_conflict')).toMatchObject({ first_name: 'First' })
  })

  it('records one message once when a hundred copies arrive together', async () => {
    const sync = await database.open()
    const event = user('user_hundred', 0)
    const receipts = await Promise.all(
      Array.from({ length: 100 }, () => deliver(sync, event, { id: 'msg_hundred' })),
    )
    expect(receipts.filter((receipt) => receipt.outcome === 'applied')).toHaveLength(1)
    expect(receipts.filter((receipt) => receipt.outcome === 'duplicate')).toHaveLength(99)
    expect(await find(sync, 'events', 'msg_hundred')).toMatchObject({ deliveries: 100 })
  })

  it('keeps the newer row when an older update arrives late', async () => {
    const sync = await database.open()
    await deliver(sync, user('user_late', 5, { first_name: 'New' }))
    const late = await deliver(sync, user('user_late', 1, { first_name: 'Old' }))
    expect(late).toMatchObject({ outcome: 'stale', reason: 'older_than_row', changes: null })
    expect(await find(sync, 'users', 'user_late')).toMatchObject({ first_name: 'New' })
  })

  it('takes the later of two updates within one millisecond, in either order', async () => {
    const sync = await database.open()
    const at = (id: string, timestamp: number, name: string) =>
      eventOf('user.updated', { id, updated_at: T, first_name: name }, timestamp)
    for (const [first, second] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const [early, late] = [`user_same_${first}`, `user_same_late_${first}`]
      await deliver(sync, at(early, T + 1, first))
      await deliver(sync, at(early, T + 2, second))
      await deliver(sync, at(late, T + 2, second))
      await deliver(sync, at(late, T + 1, first))
      for (const id of [early, late])
        expect(await find(sync, 'users', id)).toMatchObject({ first_name: second })
    }
  })

  it('ends in the same row for two different states with equal clocks, in either order', async () => {
    const sync = await database.open()
    const id = 'user_tie'
    const names: unknown[] = []
    for (const order of ['ab', 'ba']) {
      await sync.database.deleteFrom('users').where('id', '=', id).execute()
      for (const name of order)
        await deliver(sync, eventOf('user.updated', { id, updated_at: T, first_name: name }, T + 1))
      names.push((await find(sync, 'users', id))?.first_name)
    }
    expect(names[0]).toBe(names[1])
  })

  it('counts the same state under another id as applied and changes nothing', async () => {
    const sync = await database.open()
    const first = await deliver(sync, user('user_other_id', 0))
    const second = await deliver(sync, user('user_other_id', 0))
    expect(second).toMatchObject({ outcome: 'applied', changes: null })
    expect(await find(sync, 'users', 'user_other_id')).toMatchObject({ event_id: first.svixId })
  })

  it('records what an event changed, with what it was before', async () => {
    const sync = await database.open()
    const created = await deliver(sync, user('user_changes', 0, { first_name: 'Ada', username: 'ada' }))
    const updated = await deliver(
      sync,
      user('user_changes', 5, { first_name: 'Ada M.', username: 'ada', banned: true }),
    )
    expect(created.changes).toBeNull()
    expect(updated.changes).toEqual({
      first_name: { from: 'Ada', to: 'Ada M.' },
      banned: { from: false, to: true },
      updated_at: { from: T, to: T + 5 },
    })
    expect(await eventIn(sync, updated.svixId)).toMatchObject({ changes: updated.changes })
    expect(await find(sync, 'users', 'user_changes')).toMatchObject({ event_id: updated.svixId })
  })

  it('counts events that fold into a newer one of the same batch as applied, each with its own changes', async () => {
    const sync = await database.open()
    // The first occupies the transaction; the others gather behind it.
    const receipts = await Promise.all([
      deliver(sync, user('user_busy', 0)),
      ...[3, 1, 2].map((at) => deliver(sync, user('user_folded', at, { first_name: `v${at}` }))),
    ])
    expect(receipts.map((receipt) => receipt.outcome)).toEqual(Array(4).fill('applied'))
    expect(receipts[1]?.changes).toMatchObject({ first_name: { from: 'v2', to: 'v3' } })
    expect(receipts[3]?.changes).toMatchObject({ first_name: { from: 'v1', to: 'v2' } })
    expect(await find(sync, 'users', 'user_folded')).toMatchObject({
      first_name: 'v3',
      event_id: receipts[1]?.svixId,
    })
  })

  it('parks an event of another instance and applies it when replayed after the configuration is right', async () => {
    const sync = await database.open({ instanceId: 'ins_ours' })
    const receipt = await deliver(sync, user('user_foreign', 0))
    expect(receipt).toMatchObject({ outcome: 'parked', reason: 'instance_mismatch' })
    expect(await find(sync, 'users', 'user_foreign')).toBeUndefined()
    const right = await database.open({ instanceId: ['ins_ours', 'ins_3AcmeDev000000000000000001'] })
    expect(await right.replay({ ids: [receipt.svixId] })).toMatchObject({ matched: 1, applied: 1 })
    expect(await find(sync, 'users', 'user_foreign')).toBeDefined()
    expect(await find(sync, 'events', receipt.svixId)).toMatchObject({ outcome: 'applied', reason: null })
  })

  it('records and ignores events of resources that are not kept', async () => {
    const sync = await database.open({ resources: ['organizations'] })
    const receipt = await deliver(sync, user('user_ignored', 0))
    expect(receipt).toMatchObject({ outcome: 'ignored', reason: 'resource_disabled', resource: 'users' })
    expect(await find(sync, 'users', 'user_ignored')).toBeUndefined()
    expect(await find(sync, 'events', receipt.svixId)).toMatchObject({ outcome: 'ignored' })
  })

  it('deletes what belongs to something that is not kept, whichever event comes first', async () => {
    const sync = await database.open({ resources: ['users', 'organization_memberships'] })
    const [before, after] = ['orgmem_before', 'orgmem_after'].map((id) => {
      const { data, ...event } = eventOf('organizationMembership.created', { id }, T)
      return { ...event, data: { ...data, organization: { id: 'org_unkept' } } }
    })
    await deliver(sync, before)
    const deletion = { ...eventOf('organization.deleted', {}, T + 1_000) }
    expect(await deliver(sync, { ...deletion, data: { id: 'org_unkept', deleted: true } })).toMatchObject({
      outcome: 'applied',
    })
    await deliver(sync, after)
    for (const id of ['orgmem_before', 'orgmem_after']) {
      const row = await find(sync, 'organization_memberships', id)
      expect(row).toMatchObject({ deleted_at: new Date(T + 1_000) })
    }
    const unrelated = { ...eventOf('role.deleted'), data: { id: 'role_unkept', deleted: true } }
    expect(await deliver(sync, unrelated)).toMatchObject({ outcome: 'ignored' })
  })

  it('parks an event of an unknown type and answers as for any other', async () => {
    const sync = await database.open()
    const receipt = await deliver(sync, { type: 'galaxy.created', data: { id: 'gal_1' }, timestamp: T })
    expect(receipt).toMatchObject({
      type: 'galaxy.created',
      outcome: 'parked',
      reason: 'unknown_type',
      resourceId: 'gal_1',
    })
  })

  it('replaces the sets inside a user as a whole', async () => {
    const sync = await database.open()
    const address = (id: string) => ({
      id,
      email_address: `${id}@example.com`,
      verification: { status: 'verified' },
    })
    const addresses = () =>
      sync.database
        .selectFrom('email_addresses')
        .select(['id', 'email_address', 'verification_status'])
        .where('user_id', '=', 'user_sets')
        .orderBy('id')
        .execute()
    await deliver(sync, user('user_sets', 0, { email_addresses: [address('idn_a'), address('idn_b')] }))
    expect(await addresses()).toMatchObject([{ id: 'idn_a' }, { id: 'idn_b' }])
    await deliver(sync, user('user_sets', 5, { email_addresses: [address('idn_b'), address('idn_c')] }))
    expect(await addresses()).toEqual([
      { id: 'idn_b', email_address: 'idn_b@example.com', verification_status: 'verified' },
      { id: 'idn_c', email_address: 'idn_c@example.com', verification_status: 'verified' },
    ])
    await deliver(sync, user('user_sets', 3, { email_addresses: [] }))
    expect(await addresses()).toHaveLength(2)
    await deliver(sync, user('user_sets', 6, { email_addresses: [] }))
    expect(await addresses()).toEqual([])
  })

  it('writes a set again only when an update shows another one', async () => {
    const sync = await database.open()
    const address = {
      id: 'idn_kept',
      email_address: 'kept@example.com',
      verification: { status: 'verified' },
    }
    const change = (seconds: number, more: object) =>
      deliver(sync, user('user_kept_set', seconds, { email_addresses: [address], ...more }))
    const written = () =>
      sync.database
        .selectFrom('email_addresses')
        .select(['synced_at', 'verification_status'])
        .where('user_id', '=', 'user_kept_set')
        .executeTakeFirstOrThrow()
    await change(0, {})
    const first = await written()
    await change(5, { first_name: 'Other' })
    expect(await find(sync, 'users', 'user_kept_set')).toMatchObject({ first_name: 'Other' })
    expect(await written()).toEqual(first)
    const unverified = { ...address, verification: { status: 'unverified' } }
    await change(10, { email_addresses: [unverified] })
    expect(await written()).toMatchObject({ verification_status: 'unverified' })
  })

  it('keeps members of a set that lack an id or share one', async () => {
    const sync = await database.open()
    const email_addresses = [
      { email_address: 'no-id@example.com' },
      { id: 'idn_x', email_address: 'one@example.com' },
      { id: 'idn_x', email_address: 'two@example.com' },
      {},
    ]
    await deliver(sync, user('user_odd_sets', 0, { email_addresses }))
    const rows = await sync.database
      .selectFrom('email_addresses')
      .select(['id', 'email_address'])
      .where('user_id', '=', 'user_odd_sets')
      .orderBy('id')
      .execute()
    expect(rows).toEqual([
      { id: '3', email_address: null },
      { id: 'idn_x', email_address: 'two@example.com' },
      { id: 'no-id@example.com', email_address: 'no-id@example.com' },
    ])
  })
})

describeEachDatabase('deleting', (database) => {
  it('leaves a tombstone that no late event lifts', async () => {
    const sync = await database.open()
    await deliver(sync, user('user_gone', 0, { first_name: 'Ada' }))
    const deleted = await deliver(sync, userDeleted('user_gone', 100))
    expect(deleted).toMatchObject({
      outcome: 'applied',
      changes: { deleted_at: { from: null, to: new Date(T + 100).toISOString() } },
    })
    expect(await deliver(sync, userDeleted('user_gone', 110))).toMatchObject({
      outcome: 'applied',
      changes: null,
    })
    for (const at of [-5, 50, 500]) {
      expect(await deliver(sync, user('user_gone', at))).toMatchObject({
        outcome: 'stale',
        reason: 'resource_deleted',
      })
    }
    expect(await find(sync, 'users', 'user_gone')).toMatchObject({
      deleted_at: new Date(T + 100),
      event_id: deleted.svixId,
    })
  })

  it('honours a deletion of what was never seen, and shows a late last state without bringing it back', async () => {
    const sync = await database.open()
    await deliver(sync, userDeleted('user_unseen', 100))
    expect(await find(sync, 'users', 'user_unseen')).toMatchObject({
      deleted_at: new Date(T + 100),
      raw: null,
      first_name: null,
    })
    await deliver(sync, user('user_unseen', 50, { first_name: 'Ada' }))
    expect(await find(sync, 'users', 'user_unseen')).toMatchObject({
      deleted_at: new Date(T + 100),
      first_name: 'Ada',
    })
    const addresses = await sync.database
      .selectFrom('email_addresses')
      .selectAll()
      .where('user_id', '=', 'user_unseen')
      .execute()
    expect(addresses).toMatchObject([{ deleted_at: new Date(T + 100) }])
  })

  it('deletes the sets inside the resource with it', async () => {
    const sync = await database.open()
    await deliver(sync, user('user_with_sets', 0))
    await deliver(sync, userDeleted('user_with_sets', 100))
    for (const table of ['email_addresses', 'phone_numbers', 'external_accounts'] as const) {
      const rows = await sync.database
        .selectFrom(table)
        .select('deleted_at')
        .where('user_id', '=', 'user_with_sets')
        .execute()
      expect(rows).toEqual([{ deleted_at: new Date(T + 100) }])
    }
  })

  it('judges a membership by the time of the event, because its own clock stands still', async () => {
    const sync = await database.open()
    await deliver(sync, membership('updated', 'orgmem_clock', 900, belongsTo('org_clock', 'user_clock')))
    // The deletion carries the updated_at of the last update, long before.
    const deleted = eventOf(
      'organizationMembership.deleted',
      { id: 'orgmem_clock', updated_at: T, ...belongsTo('org_clock', 'user_clock') },
      T + 5_000,
    )
    expect(await deliver(sync, deleted)).toMatchObject({ outcome: 'applied' })
    expect(await find(sync, 'organization_memberships', 'orgmem_clock')).toMatchObject({
      deleted_at: new Date(T + 5_000),
    })
  })

  it('leaves the membership of a user who joined again when the old one is deleted late', async () => {
    const sync = await database.open()
    const same = belongsTo('org_again', 'user_again')
    await deliver(sync, membership('created', 'orgmem_new', 100, same))
    await deliver(sync, membership('deleted', 'orgmem_old', 50, same))
    expect(await find(sync, 'organization_memberships', 'orgmem_new')).toMatchObject({ deleted_at: null })
    expect(await find(sync, 'organization_memberships', 'orgmem_old')).toMatchObject({
      deleted_at: new Date(T + 60),
    })
  })

  it('deletes what belongs to a user or an organization, whichever arrives first', async () => {
    const sync = await database.open()
    const events = (suffix: string) => [
      membership('created', `orgmem_${suffix}`, 0, belongsTo(`org_${suffix}`, `user_${suffix}`)),
      organization(`org_${suffix}`, 0),
      organizationDeleted(`org_${suffix}`, 100),
      userDeleted(`user_${suffix}`, 200),
    ]
    const rows: unknown[] = []
    for (const order of [
      [0, 1, 2, 3],
      [2, 0, 1, 3],
      [3, 2, 1, 0],
      [3, 0, 2, 1],
      [1, 3, 0, 2],
    ]) {
      const suffix = `cascade${order.join('')}`
      for (const index of order) await deliver(sync, events(suffix)[index])
      rows.push((await find(sync, 'organization_memberships', `orgmem_${suffix}`))?.deleted_at)
    }
    expect(rows).toEqual(Array(5).fill(new Date(T + 100)))
  })

  it('names the smaller event id of two deletions at the same time, whichever arrives first', async () => {
    const sync = await database.open()
    for (const order of ['ab', 'ba']) {
      const [member, org, person] = [`orgmem_${order}`, `org_${order}`, `user_${order}`]
      await deliver(sync, membership('created', member, 0, belongsTo(org, person)))
      const deletions = { a: organizationDeleted(org, 100), b: userDeleted(person, 100) }
      for (const name of order) await deliver(sync, deletions[name as 'a'], { id: `msg_${name}_${order}` })
      expect(await find(sync, 'organization_memberships', member)).toMatchObject({
        deleted_at: new Date(T + 100),
        event_id: `msg_a_${order}`,
      })
    }
  })

  it('deletes what belongs to a parent whose id holds what Postgres cannot store', async () => {
    const sync = await database.open()
    const session = (id: string, userId: string) =>
      eventOf('session.created', { id, user_id: userId, user: undefined, updated_at: T }, T)
    for (const [name, odd] of [
      ['nul', '\u0000'],
      ['half', '\ud800'],
    ]) {
      const userId = `user_${name}${odd}`
      expect(await deliver(sync, session(`sess_${name}1`, userId))).toMatchObject({ outcome: 'applied' })
      await deliver(sync, userDeleted(userId, 100))
      expect(await deliver(sync, session(`sess_${name}2`, userId))).not.toMatchObject({ outcome: 'failed' })
      for (const id of [`sess_${name}1`, `sess_${name}2`]) {
        expect(await find(sync, 'sessions', id)).toMatchObject({
          user_id: `user_${name}\ufffd`,
          deleted_at: new Date(T + 100),
        })
      }
    }
    const member = membership('created', 'orgmem_nul', 0, belongsTo('org_\u0000', 'user_fine'))
    expect(await deliver(sync, member)).toMatchObject({ outcome: 'applied' })
  })

  it('deletes what belongs together within one batch', async () => {
    const sync = await database.open()
    await Promise.all([
      deliver(sync, user('user_other', 0)),
      deliver(sync, membership('created', 'orgmem_batch', 0, belongsTo('org_batch', 'user_batch'))),
      deliver(sync, organizationDeleted('org_batch', 100)),
      deliver(
        sync,
        eventOf(
          'session.created',
          { id: 'sess_batch', user_id: 'user_batch', user: undefined, updated_at: T },
          T,
        ),
      ),
      deliver(sync, userDeleted('user_batch', 200)),
    ])
    expect(await find(sync, 'organization_memberships', 'orgmem_batch')).toMatchObject({
      deleted_at: new Date(T + 100),
    })
    expect(await find(sync, 'sessions', 'sess_batch')).toMatchObject({ deleted_at: new Date(T + 200) })
  })

  it('does not touch billing: what was paid stays', async () => {
    const sync = await database.open()
    const payer = { id: 'cpayer_1', user_id: 'user_paid', organization_id: '' }
    await deliver(sync, eventOf('paymentAttempt.created', { id: 'pa_paid', payer }))
    await deliver(sync, userDeleted('user_paid', 100))
    expect(await find(sync, 'payment_attempts', 'pa_paid')).toMatchObject({
      deleted_at: null,
      payer_user_id: 'user_paid',
      payer_organization_id: null,
    })
  })
})
