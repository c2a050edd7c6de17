/** Rows that an event makes which is older than the last sweep: Clerk is asked for each, and for no other. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'
import { type BackendApi, createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { emptyAll, scenes, untilAsked, wrongTables } from './scenes.ts'

describeEachDatabase('a row that comes late', (database) => {
  const { serve, open } = scenes(database)
  let clerk: SimulatedClerk
  let api: BackendApi
  let sync: ClerkSync

  beforeEach(async () => {
    clerk = createSimulatedClerk({ seed: 71 })
    for (let made = 0; made < 5; made++) clerk.act('createUser')
    clerk.act('createOrganization')
    api = await serve(clerk)
    sync = await open(api)
    await emptyAll(sync)
    expect((await sync.backfill()).status).toBe('complete')
    later()
  })

  function later(): void {
    clerk.advanceTo(clerk.now + 5_000)
  }

  /** Created and deleted while nobody listened, and before a reconcile. */
  async function missCompletely(): Promise<{ created: ClerkEvent; deleted: ClerkEvent }> {
    const [created] = clerk.act('createUser') as [ClerkEvent]
    later()
    const deleted = clerk
      .act('deleteUser', String(created.data.id))
      .find(({ type }) => type === 'user.deleted')
    later()
    expect((await sync.reconcile()).status).toBe('complete')
    return { created, deleted: deleted as ClerkEvent }
  }

  async function isLive(
    id: unknown,
    table: 'users' | 'organization_memberships' = 'users',
  ): Promise<boolean> {
    const row = await sync.database
      .selectFrom(table)
      .select('deleted_at')
      .where('id', '=', String(id))
      .executeTakeFirstOrThrow()
    return row.deleted_at === null
  }

  const lateRows = () =>
    sync.database.selectFrom('pending_verifications').select(['resource', 'id']).execute()

  const requests = () => api.requests.map(({ path, query }) => `${path}?${query}`)

  it('is deleted if Clerk, asked by id, has deleted it', async () => {
    const { created, deleted } = await missCompletely()
    expect((await deliver(sync, created)).outcome).toBe('applied')
    await untilAsked(sync)
    expect(await isLive(created.data.id)).toBe(false)
    expect(await wrongTables(sync, clerk)).toEqual([])
    const members = await sync.database
      .selectFrom('email_addresses')
      .select('deleted_at')
      .where('user_id', '=', String(created.data.id))
      .execute()
    expect(members.filter(({ deleted_at }) => deleted_at === null)).toEqual([])
    // At its own time, once the deletion itself is told.
    await deliver(sync, deleted)
    const row = await sync.database
      .selectFrom('users')
      .select('deleted_at')
      .where('id', '=', String(created.data.id))
      .executeTakeFirstOrThrow()
    expect(row.deleted_at).toEqual(new Date(Number(deleted.timestamp)))
  })

  it('stays if the sweep has only missed it', async () => {
    const [created] = clerk.act('createUser') as [ClerkEvent]
    later()
    await sync.reconcile()
    await sync.database.deleteFrom('users').where('id', '=', String(created.data.id)).execute()
    await deliver(sync, created)
    await untilAsked(sync)
    expect(requests().at(-1)).toContain(String(created.data.id))
    expect(await isLive(created.data.id)).toBe(true)
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it('is asked for with what it belongs to', async () => {
    const [organization] = clerk.resources('organizations').keys()
    const events = clerk.act('addMember', organization)
    later()
    const membership = events.find(({ type }) => type === 'organizationMembership.created') as ClerkEvent
    const { user_id } = membership.data.public_user_data as { user_id: string }
    clerk.act('deleteUser', user_id)
    later()
    await sync.reconcile()
    await deliver(sync, membership)
    await untilAsked(sync)
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it('is no row of an event that is newer than the sweep', async () => {
    const before = api.requests.length
    for (const event of clerk.act('createUser')) await deliver(sync, event)
    expect(await lateRows()).toEqual([])
    expect(api.requests.length).toBe(before)
  })

  it('is no row that was there before', async () => {
    const [id] = clerk.resources('users').keys()
    const [changed] = clerk.act('updateUser', id) as [ClerkEvent]
    later()
    await sync.reconcile({ full: true })
    const before = api.requests.length
    await deliver(sync, changed)
    expect(await lateRows()).toEqual([])
    expect(api.requests.length).toBe(before)
  })

  it('waits while Clerk does not tell, and is asked for when somebody looks again', async () => {
    const { created } = await missCompletely()
    const warnings: string[] = []
    const log = {
      debug() {},
      info() {},
      warn: (_: object, message: string) => warnings.push(message),
      error() {},
    }
    const refused = await open(api, { secretKey: 'sk_test_revoked', log })
    await deliver(refused, created)
    await expect.poll(() => warnings).toEqual(['cannot verify rows with Clerk; retrying'])
    expect(await isLive(created.data.id)).toBe(true)
    expect(await lateRows()).toEqual([{ resource: 'users', id: created.data.id }])
    await sync.drain()
    expect(await lateRows()).toEqual([])
    expect(await isLive(created.data.id)).toBe(false)
  })

  it('waits while Clerk’s API may be behind its event', async () => {
    const { created } = await missCompletely()
    await sync.database
      .updateTable('sweep_starts')
      .set({ started_at: new Date(Date.now() + 60_000) })
      .execute()
    await deliver(sync, { ...created, timestamp: Date.now() })
    await sync.drain()
    expect(await lateRows()).toEqual([{ resource: 'users', id: created.data.id }])
    expect(await isLive(created.data.id)).toBe(true)
    await sync.database
      .updateTable('users')
      .set({ observed_at: new Date(Date.now() - 20_000) })
      .where('id', '=', String(created.data.id))
      .execute()
    await sync.drain()
    expect(await lateRows()).toEqual([])
    expect(await isLive(created.data.id)).toBe(false)
  })

  it('waits for a process with the secret key', async () => {
    const { created } = await missCompletely()
    const keyless = await database.open({ secretKey: '' })
    await deliver(keyless, created)
    await keyless.drain()
    expect(await lateRows()).toEqual([{ resource: 'users', id: created.data.id }])
    await sync.drain()
    expect(await lateRows()).toEqual([])
    expect(await isLive(created.data.id)).toBe(false)
  })

  it('is asked for where the tables are kept up, as every server does', async () => {
    const { created } = await missCompletely()
    await deliver(await database.open({ secretKey: '' }), created)
    const server = await startServer({ sync, port: 0, maintenance: { everyMs: 50 } })
    onTestFinished(async () => {
      await server.stop()
    })
    await untilAsked(sync)
    expect(await isLive(created.data.id)).toBe(false)
  })

  it('is not left over by a full reconcile, which asks for it or sees it', async () => {
    const { created } = await missCompletely()
    const [present] = clerk.act('createUser') as [ClerkEvent]
    later()
    await sync.reconcile()
    await sync.database.deleteFrom('users').where('id', '=', String(present.data.id)).execute()
    const keyless = await database.open({ secretKey: '' })
    await deliver(keyless, created)
    await deliver(keyless, present)
    await sync.reconcile({ full: true, dryRun: true })
    expect(await lateRows()).toHaveLength(2)
    later()
    await sync.reconcile({ full: true })
    expect(await lateRows()).toEqual([])
    expect([await isLive(created.data.id), await isLive(present.data.id)]).toEqual([false, true])
  })

  it('is not asked for if it is of another Clerk instance', async () => {
    const { created } = await missCompletely()
    await deliver(sync, { ...created, instance_id: 'ins_another' })
    expect(await lateRows()).toEqual([])
    expect(await isLive(created.data.id)).toBe(true)
  })

  it('stays if its feature was switched off', async () => {
    const [organization] = clerk.resources('organizations').keys()
    const events = clerk.act('addMember', organization)
    const membership = events.find(({ type }) => type === 'organizationMembership.created') as ClerkEvent
    later()
    await sync.reconcile()
    await sync.database
      .deleteFrom('organization_memberships')
      .where('id', '=', String(membership.data.id))
      .execute()
    api.disable('organizations')
    await deliver(sync, membership)
    await untilAsked(sync)
    expect(await isLive(membership.data.id, 'organization_memberships')).toBe(true)
  })

  it('is told to handlers with its creation and its deletion, each once', async () => {
    const heard: string[] = []
    const notifying = await open(api)
    notifying.on('user.*', ({ event }) => heard.push(event.type), { name: 'late-listener' })
    const { created, deleted } = await missCompletely()
    await deliver(notifying, created)
    await untilAsked(notifying)
    await notifying.drain()
    expect(heard.sort()).toEqual(['user.created', 'user.deleted'])
    await deliver(notifying, deleted)
    await notifying.drain()
    expect(heard).toHaveLength(2)
  })
})
