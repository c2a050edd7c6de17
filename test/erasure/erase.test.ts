/** After an erasure, the database holds ids and times of the person, whatever Clerk sends or shows afterwards. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { type ClerkSync, on } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { scenes } from '../backfill/scenes.ts'
import { describeEachDatabase, type TestDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { createPerson, dumpTables, type Person, valuesIn } from './person.ts'

/** Quotes all it was given, and fails. */
const failing = on(
  ['user.*', 'session.*', 'organizationMembership.*'],
  ({ event }) => {
    throw new Error(`cannot greet ${JSON.stringify(event.data).slice(0, 1_500)}`)
  },
  { name: 'greet', retries: 0 },
)

async function dump(sync: ClerkSync, database: TestDatabase): Promise<string> {
  const tables = await dumpTables(sync)
  if (database.name === 'PGlite') return tables
  const { database: url, schema } = await database.location()
  const run = promisify(execFile)
  const { stdout } = await run('pg_dump', [url, '--schema', schema, '--data-only'], { maxBuffer: 1e9 }).catch(
    // Where there is no pg_dump, the tables' text is what it would have written.
    () => ({ stdout: '' }),
  )
  return `${tables}\n${stdout}`
}

async function receiveAll(sync: ClerkSync, events: Person['events']) {
  const receipts = []
  for (const event of events) receipts.push(await deliver(sync, event))
  return receipts
}

describeEachDatabase('erasing a person', (database) => {
  const { serve, open } = scenes(database)

  it('leaves none of their values, also after late events, a replay and a full reconcile', {
    timeout: 300_000,
  }, async () => {
    const clerk = createSimulatedClerk({ seed: 11 })
    clerk.act('addMember')
    const others = clerk.resources('users').size
    const person = createPerson(clerk)
    const api = await serve(clerk)
    const sync = await open(api, { handlers: [failing] })
    const values = () => person.values
    expect(values().length).toBeGreaterThanOrEqual(50)

    await receiveAll(sync, person.events)
    await sync.backfill()
    await sync.drain({ maxSeconds: 20 })
    await sync.database
      .insertInto('audit_log')
      .values({
        id: 'aud_1',
        actor: `${person.values[0]}@example.com`,
        role: 'admin',
        action: 'reveal',
        target: `users/${person.id}`,
        reason: `asked by ${person.values[1]}`,
        details: JSON.stringify({ of: person.values[2] }),
        succeeded: true,
      })
      .execute()
    const before = await dump(sync, database)
    const seeded = values().filter((value) => !value.includes('late'))
    expect(valuesIn(before, seeded).length).toBeGreaterThanOrEqual(50)

    const counted = await sync.erase(person.id, { dryRun: true })
    expect(valuesIn(await dump(sync, database), seeded).length).toBe(valuesIn(before, seeded).length)
    const result = await sync.erase(person.id)
    expect(counted.rows).toMatchObject({ users: 1, sessions: 1, emails: 1, email_addresses: 2 })
    expect(result.rows).toMatchObject({ users: 1, sessions: 1, emails: 1, sms_messages: 1 })
    expect(result.events).toBeGreaterThanOrEqual(counted.events)
    expect(valuesIn(await dump(sync, database), values())).toEqual([])

    const receipts = await receiveAll(sync, person.late)
    expect(receipts.map(({ outcome, reason }) => reason ?? outcome)).toEqual([
      ...['erased', 'erased', 'erased', 'erased', 'erased', 'erased'],
      ...['applied', 'applied'],
    ])
    await sync.replay({})
    await sync.reconcile({ full: true, handlers: true })
    await sync.drain({ maxSeconds: 20 })
    expect(await sync.users.ensure(person.id)).toBeUndefined()
    expect(valuesIn(await dump(sync, database), values())).toEqual([])

    const { drift } = await sync.reconcile({ full: true, dryRun: true })
    expect(drift.total).toBe(0)
    const live = await sync.database.selectFrom('users_live').select('id').execute()
    expect(live).toHaveLength(others)
    const row = await sync.database
      .selectFrom('users')
      .selectAll()
      .where('id', '=', person.id)
      .executeTakeFirstOrThrow()
    expect(row).toMatchObject({
      raw: null,
      first_name: null,
      erased_at: expect.any(Date),
      deleted_at: expect.any(Date),
    })
  })

  it('leaves what belongs to others, without what it said of the person', async () => {
    const clerk = createSimulatedClerk({ seed: 12 })
    const person = createPerson(clerk)
    const sync = await open(await serve(clerk))
    await receiveAll(sync, person.events)
    await sync.erase(person.id)
    const invitation = await sync.database
      .selectFrom('organization_invitations')
      .selectAll()
      .where('id', '=', person.idOf('orginv_2'))
      .executeTakeFirstOrThrow()
    expect(invitation).toMatchObject({
      email_address: `${person.invitee}@example.com`,
      inviter_id: person.id,
      public_inviter_data: { user_id: person.id },
      erased_at: null,
    })
    const payment = await sync.database
      .selectFrom('payment_attempts')
      .selectAll()
      .where('id', '=', person.idOf('pay_1'))
      .executeTakeFirstOrThrow()
    expect(payment).toMatchObject({
      payer: { user_id: person.id },
      payer_user_id: person.id,
      payment_source: { id: 'src_1' },
    })
    const event = await sync.database
      .selectFrom('event_bodies')
      .innerJoin('events', 'events.id', 'event_bodies.event_id')
      .select('body')
      .where('resource_id', '=', person.idOf('pay_1'))
      .executeTakeFirstOrThrow()
    expect(JSON.parse(Buffer.from(event.body).toString()).data).toMatchObject({
      id: person.idOf('pay_1'),
      payer: { user_id: person.id },
    })
  })

  it('goes on where it was stopped, and is done by maintenance if nobody calls again', async () => {
    const clerk = createSimulatedClerk({ seed: 13 })
    const person = createPerson(clerk)
    const sync = await open(await serve(clerk))
    await receiveAll(sync, person.events)
    const stop = new AbortController()
    const erasing = sync.erase(person.id, { signal: stop.signal, onProgress: () => stop.abort() })
    await expect(erasing).rejects.toThrow()
    const [late] = person.late
    expect(await deliver(sync, late)).toMatchObject({ outcome: 'stale', reason: 'erased' })
    await sync.maintain()
    expect(valuesIn(await dump(sync, database), person.values)).toEqual([])
  })

  it('takes the id of a user, and of nothing else', async () => {
    const sync = await database.open()
    await expect(sync.erase('org_1')).rejects.toMatchObject({ code: 'erasure_unsupported' })
    expect(await sync.erase('user_nobody', { dryRun: true })).toMatchObject({ rows: {}, events: 0 })
  })
})
