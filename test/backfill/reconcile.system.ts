import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync, ReconcileResult } from '../../src/index.ts'
import { createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

/** Long enough for Clerk's clock, whose API counts seconds. */
function laterBy(clerk: SimulatedClerk, milliseconds = 5_000): void {
  clerk.advanceTo(clerk.now + milliseconds)
}

function drifts({ drift }: ReconcileResult) {
  return drift.first
    .filter(({ kind }) => kind !== 'refreshed')
    .map(({ resource, id, kind, cause, fields }) => ({ resource, id, kind, cause, fields }))
}

describeEachDatabase('a reconcile', (database) => {
  const { serve, open } = scenes(database)
  let clerk: SimulatedClerk
  let sync: ClerkSync

  async function deliverAll(events: readonly ClerkEvent[]): Promise<void> {
    for (const event of events) await deliver(sync, event)
  }

  beforeEach(async () => {
    clerk = createSimulatedClerk({ seed: 11 })
    for (let made = 0; made < 30; made++) clerk.act('createUser')
    for (let made = 0; made < 4; made++) clerk.act('createOrganization')
    for (let made = 0; made < 10; made++) clerk.act('addMember')
    sync = await open(await serve(clerk))
    await emptyAll(sync)
    expect((await sync.backfill()).status).toBe('complete')
    laterBy(clerk)
  })

  it('finds nothing where nothing was missed', async () => {
    expect(await sync.reconcile({ full: true })).toMatchObject({ status: 'complete', drift: { total: 0 } })
    expect(await sync.reconcile({ dryRun: true })).toMatchObject({ status: 'complete', drift: { total: 0 } })
  })

  it('finds what no event told of: created, changed and deleted', async () => {
    const [created] = clerk.act('createUser')
    const [changed, deleted] = [...clerk.resources('users').keys()]
    clerk.act('updateUser', changed)
    clerk.act('deleteUser', deleted)
    laterBy(clerk)

    const report = await sync.reconcile({ dryRun: true, resources: ['users'] })
    const found = drifts(report)
    expect(found).toHaveLength(3)
    expect(found).toContainEqual(
      expect.objectContaining({ id: created?.data.id, kind: 'missing', cause: 'no_event' }),
    )
    expect(found).toContainEqual(expect.objectContaining({ id: changed, kind: 'stale', cause: 'no_event' }))
    expect(found).toContainEqual(expect.objectContaining({ id: deleted, kind: 'extra', cause: 'no_event' }))
    expect(report.drift.resources.users?.fields).toMatchObject({ updated_at: 1 })
    expect(await wrongTables(sync, clerk)).not.toEqual([])

    const repaired = await sync.reconcile()
    expect(repaired.status).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])
    const row = await sync.database
      .selectFrom('users')
      .select(['deleted_at', 'event_id'])
      .where('id', '=', String(deleted))
      .executeTakeFirstOrThrow()
    expect(row).toEqual({ deleted_at: expect.any(Date), event_id: repaired.jobId })
    expect((await sync.reconcile()).drift.total).toBe(0)
  })

  it('tells an event that failed or was parked from one that never came, and both from an edit', async () => {
    const [failed, parked, edited, removed] = [...clerk.resources('users').keys()] as string[]
    await sql`alter table ${sql.table(`${sync.location.schema}.users`)} add constraint no_failing check (id <> ${sql.lit(failed)}) not valid`.execute(
      sync.database,
    )
    const [failing] = clerk.act('updateUser', failed)
    expect((await deliver(sync, failing)).outcome).toBe('failed')
    await sql`alter table ${sql.table(`${sync.location.schema}.users`)} drop constraint no_failing`.execute(
      sync.database,
    )
    const [foreign] = clerk.act('updateUser', parked)
    await sync.database
      .insertInto('events')
      .values({
        id: 'msg_parked',
        type: 'user.updated',
        resource: 'users',
        resource_id: parked ?? null,
        occurred_at: new Date(Number(foreign?.timestamp)),
        outcome: 'parked',
        body_sha256: Buffer.alloc(32),
      })
      .execute()
    await sync.database
      .updateTable('users')
      .set({ first_name: 'Mallory' })
      .where('id', '=', edited as string)
      .execute()
    await sync.database
      .deleteFrom('email_addresses')
      .where('user_id', '=', edited as string)
      .execute()
    const [last] = clerk.act('updateUser', removed)
    await deliver(sync, last)
    await sync.database
      .deleteFrom('users')
      .where('id', '=', removed as string)
      .execute()
    laterBy(clerk)

    const found = new Map(drifts(await sync.reconcile({ full: true })).map((each) => [each.id, each]))
    expect(found.get(failed as string)).toMatchObject({ kind: 'stale', cause: 'event_failed' })
    expect(found.get(parked as string)).toMatchObject({ kind: 'stale', cause: 'event_not_applied' })
    expect(found.get(edited as string)).toMatchObject({ kind: 'edited', cause: 'edited' })
    expect(found.get(edited as string)?.fields).toEqual(
      expect.arrayContaining(['first_name', 'email_addresses']),
    )
    expect(found.get(removed as string)).toMatchObject({ kind: 'missing', cause: 'edited' })
    expect(found.size).toBe(4)
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it('looks only at the users that changed, until their number does not fit', async () => {
    const api = await serve(clerk)
    const watched = await open(api)
    await watched.reconcile({ full: true, resources: ['users'] })
    laterBy(clerk)
    clerk.act('updateUser')
    laterBy(clerk)
    const paths = () => api.requests.map(({ path, query }) => `${path}?${query.get('order_by') ?? ''}`)
    const before = api.requests.length
    const incremental = await watched.reconcile({ resources: ['users'] })
    expect(incremental.resources.users).toMatchObject({ status: 'complete', isFull: false, written: 1 })
    expect(paths().slice(before)).not.toContain('/v1/users?+created_at')
    clerk.act('deleteUser')
    laterBy(clerk)
    const full = await watched.reconcile({ resources: ['users'] })
    expect(full.resources.users).toMatchObject({ status: 'complete', isFull: true, deleted: 1 })
    expect(await wrongTables(watched, clerk)).toEqual(await wrongTables(sync, clerk))
  })

  it('deletes what went with an organization that was deleted while nobody listened', async () => {
    const [organization] = [...clerk.resources('organizations').keys()]
    clerk.act('deleteOrganization', organization)
    laterBy(clerk)
    const result = await sync.reconcile({ resources: ['organizations'] })
    expect(result.resources.organizations).toMatchObject({ deleted: 1 })
    const members = await sync.database
      .selectFrom('organization_memberships')
      .select('deleted_at')
      .where('organization_id', '=', String(organization))
      .execute()
    expect(members.length).toBeGreaterThan(0)
    expect(members.filter(({ deleted_at }) => deleted_at === null)).toEqual([])
  })

  it('lifts a deletion that Clerk, asked by id, does not know of', async () => {
    const [id] = clerk.resources('users').keys()
    await deliver(sync, {
      object: 'event',
      type: 'user.deleted',
      timestamp: clerk.now - 60_000,
      data: { id, object: 'user', deleted: true },
    })
    laterBy(clerk)
    const result = await sync.reconcile({ full: true })
    expect(drifts(result)).toEqual([expect.objectContaining({ id, kind: 'deleted_here', cause: 'no_event' })])
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it.each([
    ['happened after Clerk was asked', 600_000],
    ['had just happened: Clerk’s API may be behind', -5_000],
  ])('does not lift one that %s', async (_, sinceNow) => {
    const [id] = clerk.resources('users').keys()
    await deliver(sync, {
      object: 'event',
      type: 'user.deleted',
      timestamp: clerk.now + sinceNow,
      data: { id, object: 'user', deleted: true },
    })
    await sync.reconcile({ full: true })
    const row = await sync.database
      .selectFrom('users')
      .select('deleted_at')
      .where('id', '=', String(id))
      .executeTakeFirstOrThrow()
    expect(row.deleted_at).not.toBeNull()
  })

  it('ends sessions whose time is over', async () => {
    await deliverAll(clerk.act('signIn'))
    await deliverAll(clerk.act('signIn'))
    expect(await sync.reconcile({ resources: ['roles'] })).toMatchObject({ expired: 0 })
    laterBy(clerk, 8 * 86_400_000)
    expect(await sync.reconcile({ resources: ['roles'] })).toMatchObject({ expired: 2 })
    const sessions = await sync.database.selectFrom('sessions').select(['status', 'event_id']).execute()
    expect(sessions.map(({ status }) => status)).toEqual(['expired', 'expired'])
    expect(sessions[0]?.event_id).toMatch(/^job_/)
  })

  describe('never takes a fault for a deletion', () => {
    it('when a list is suddenly short', async () => {
      const other = createSimulatedClerk({ seed: 12, instanceId: clerk.instanceId })
      for (let made = 0; made < 3; made++) other.act('createUser')
      other.advanceTo(clerk.now + 10_000)
      const wrong = await open(await serve(other))
      const result = await wrong.reconcile({ full: true, resources: ['users'] })
      expect(result.status).toBe('incomplete')
      expect(result.resources.users).toMatchObject({
        status: 'failed',
        deleted: 0,
        error: { code: 'list_shrunken' },
      })
      const live = await sync.database
        .selectFrom('users')
        .select('id')
        .where('deleted_at', 'is', null)
        .execute()
      expect(live.length).toBeGreaterThanOrEqual(30)
    })

    it('unless so many are allowed to be gone', async () => {
      for (const id of [...clerk.resources('users').keys()].slice(0, 25)) clerk.act('deleteUser', id)
      laterBy(clerk)
      expect((await sync.reconcile({ full: true })).resources.users?.error?.code).toBe('list_shrunken')
      expect((await sync.reconcile({ full: true, maxDeletions: 25 })).resources.users?.deleted).toBe(25)
      expect(await wrongTables(sync, clerk)).toEqual([])
    })

    it.each(['payment_required', 'not_enabled', 'not_found'] as const)(
      'when the feature is switched off: %s',
      async (how) => {
        const off = await open(await serve(clerk, { disabled: { organizations: how } }))
        const result = await off.reconcile({ full: true })
        expect(result.status).toBe('complete')
        expect(result.resources.organizations).toMatchObject({ status: 'disabled', deleted: 0 })
        expect(result.resources.organization_memberships).toMatchObject({ status: 'disabled', deleted: 0 })
        expect(await wrongTables(sync, clerk)).toEqual([])
      },
    )

    it('when the row is of another instance, whose users are in no list of this one', async () => {
      const other = createSimulatedClerk({ seed: 14 })
      const [created] = other.act('createUser')
      await deliver(sync, created)
      laterBy(clerk)
      expect((await sync.reconcile({ full: true })).resources.users).toMatchObject({ deleted: 0 })
      const row = await sync.database
        .selectFrom('users')
        .select(['deleted_at', 'instance_id'])
        .where('id', '=', String(created?.data.id))
        .executeTakeFirstOrThrow()
      expect(row).toEqual({ deleted_at: null, instance_id: other.instanceId })
    })

    it('when the key is of another instance', async () => {
      const other = createSimulatedClerk({ seed: 13 })
      const wrong = await open(await serve(other), { instanceId: clerk.instanceId })
      await expect(wrong.reconcile()).rejects.toMatchObject({ code: 'api_wrong_instance' })
    })
  })

  it('looks at everything again after one in which a resource failed', async () => {
    for (const id of [...clerk.resources('users').keys()].slice(0, 25)) clerk.act('deleteUser', id)
    laterBy(clerk)
    const first = await sync.reconcile({ full: true })
    expect(first.status).toBe('incomplete')
    expect(first.resources.users).toMatchObject({ status: 'failed', error: { code: 'list_shrunken' } })
    const [id] = clerk.resources('organizations').keys()
    clerk.act('updateOrganization', id)
    laterBy(clerk)
    const second = await sync.reconcile({ full: true })
    expect(second.jobId).not.toBe(first.jobId)
    expect(drifts(second)).toEqual([expect.objectContaining({ resource: 'organizations', id })])
  })

  it('keeps a row that is newer than the page', async () => {
    const [id] = clerk.resources('users').keys()
    await deliver(
      sync,
      eventOf(
        'user.updated',
        { id, first_name: 'Newer', updated_at: clerk.now + 60_000 },
        clerk.now + 60_000,
      ),
    )
    const result = await sync.reconcile({ full: true, resources: ['users'] })
    expect(result.resources.users).toMatchObject({ written: 0, skipped: 1 })
    const row = await sync.database
      .selectFrom('users')
      .select('first_name')
      .where('id', '=', String(id))
      .executeTakeFirstOrThrow()
    expect(row.first_name).toBe('Newer')
  })
})
