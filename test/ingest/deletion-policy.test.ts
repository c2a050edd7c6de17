/**
 * What becomes of deleted rows under each policy, whatever arrives in which order, and that nothing makes them appear again.
 *
 * HISTORIES=2000 npx vitest run test/ingest/deletion-policy.test.ts looks harder.
 */

import fc from 'fast-check'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { CATALOGUE, CHILD_SETS, RESOURCES } from '../../src/clerk/catalogue.ts'
import { type DeletionPolicy, personalColumns } from '../../src/clerk/deletion.ts'
import { type ClerkEvent, type ClerkSync, createClerkSync } from '../../src/index.ts'
import { createSimulatedClerk, SIMULATED_ACTIONS } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { emptyAll, scenes } from '../backfill/scenes.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { deliverAll, empty, signAll } from '../testing/histories.ts'

const HISTORIES = Number(process.env.HISTORIES ?? 60)
const POLICIES: readonly DeletionPolicy[] = ['soft', 'anonymise', 'hard']
const TABLES = [...Object.keys(CATALOGUE), ...Object.keys(CHILD_SETS)] as 'users'[]

/** Deletions are frequent, and go on to what belongs to the deleted. */
const DELETIONS = SIMULATED_ACTIONS.filter((action) => /delete|remove|end|revoke/i.test(action))

const anyCase = fc.record({
  seed: fc.nat(),
  actions: fc.array(fc.oneof(fc.constantFrom(...SIMULATED_ACTIONS), fc.constantFrom(...DELETIONS)), {
    minLength: 2,
    maxLength: 14,
  }),
  arrivals: fc.array(fc.nat(), { minLength: 2, maxLength: 3 }),
  ties: fc.constantFrom(0, 0.5),
})

/** Clerk's events, and others that show another state at the same moment: only the tie-break can order these. */
function eventsOf(
  seed: number,
  actions: readonly (typeof SIMULATED_ACTIONS)[number][],
  ties: number,
): ClerkEvent[] {
  const clerk = createSimulatedClerk({ seed })
  const random = new Random(seed)
  const events = actions.flatMap((action) => clerk.act(action))
  const others = events
    .filter(({ data }) => 'updated_at' in data && random.chance(ties))
    .map((event) => ({
      ...event,
      data: {
        ...event.data,
        first_name: `T${random.integer(0, 9)}`,
        role: 'org:tie',
        locale: random.pick(['de', 'fr']),
      },
    }))
  return [...events, ...others] as ClerkEvent[]
}

/** Every row, but for what says which of two equal states came first. */
async function rowsOf({ database }: ClerkSync): Promise<Record<string, unknown[]>> {
  const tables = await Promise.all(
    TABLES.map(async (table) => {
      const rows = await database.selectFrom(table).selectAll().execute()
      const kept = rows.map(({ synced_at, event_id, instance_id, ...row }) => ({
        ...row,
        event_id: row.deleted_at && event_id,
      }))
      return [table, sorted(kept)] as const
    }),
  )
  // Not their times: a parent's deletion finds no row whose tombstone it could date back.
  const tombstones = await database.selectFrom('tombstones').select(['resource', 'id']).execute()
  return { ...Object.fromEntries(tables), tombstones: sorted(tombstones) }
}

function sorted(rows: readonly object[]): unknown[] {
  return rows.map((row) => JSON.stringify(row)).sort()
}

describeEachDatabase('under every deletion policy', (database) => {
  it.each(POLICIES)('%s: every order of arrival ends in equal rows', { timeout: 600_000 }, async (policy) => {
    const options = { deletion: { default: policy } }
    const servers = [await database.open(options), await database.open(options)]
    const [server] = servers as [ClerkSync]
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ seed, actions, arrivals, ties }) => {
        const deliveries = signAll(eventsOf(seed, actions, ties))
        const ends: Record<string, unknown[]>[] = []
        for (const arrival of arrivals) {
          await empty(server)
          const random = new Random(arrival)
          await deliverAll(servers, random.shuffle([...deliveries, ...deliveries]), random)
          ends.push(await rowsOf(server))
          await requirePolicy(server, policy)
        }
        for (const end of ends) expect(end).toEqual(ends[0])
        await server.replay({})
        expect(await rowsOf(server)).toEqual(ends[0])
      }),
      { numRuns: Math.ceil(HISTORIES / 6) },
    )
  })
})

describe('the option', () => {
  it.each([
    [{ user: 'hard' }, /deletion has user; did you mean users\?/],
    [{ users: 'anonymize' }, /deletion\.users is anonymize; did you mean anonymise\?/],
    [{ default: 'gone' }, /deletion\.default is gone; there are soft, anonymise, hard/],
  ])('refuses %o', (deletion, message) => {
    expect(() => createClerkSync({ database: 'memory://', deletion: deletion as object })).toThrow(message)
  })
})

const HOUR = 3_600_000

describeEachDatabase('after a deletion that leaves no person', (database) => {
  const { serve, open } = scenes(database)

  it.each(['anonymise', 'hard'] as const)(
    '%s: no list and no question to Clerk brings it back',
    async (policy) => {
      const clerk = createSimulatedClerk({ seed: 5 })
      clerk.act('createUser')
      const [[id, user]] = [...clerk.resources('users')] as [[string, object]]
      const sync = await open(await serve(clerk), { deletion: { users: policy } })
      await emptyAll(sync)
      await deliver(sync, eventOf('user.created', user))
      // Clerk's lists still have it, and so does its answer by id: too soon after the event to refute it.
      await deliver(sync, eventOf('user.deleted', { id }, Date.now() + HOUR))
      await sync.backfill({ resources: ['users'] })
      await sync.reconcile({ full: true, resources: ['users'] })
      await sync.replay({})
      expect(await sync.users.ensure(id)).toBeUndefined()
      expect(await sync.waitFor('users', id, { deleted: true })).toMatchObject({ id, first_name: null })
      const { drift } = await sync.reconcile({ full: true, dryRun: true, resources: ['users'] })
      expect(drift.first.map(({ kind }) => kind)).not.toContain('missing')
      await requirePolicy(sync, policy)
    },
  )

  it('a row that Clerk has after all is there again', async () => {
    const clerk = createSimulatedClerk({ seed: 6 })
    clerk.act('createUser')
    const [[id, user]] = [...clerk.resources('users')] as [[string, object]]
    const sync = await open(await serve(clerk), { deletion: { default: 'hard' } })
    await emptyAll(sync)
    await deliver(sync, eventOf('user.created', user))
    await deliver(sync, eventOf('user.deleted', { id }, Date.now() - HOUR))
    clerk.advanceTo(Date.now())
    await sync.reconcile({ full: true, resources: ['users'] })
    expect(await sync.database.selectFrom('users').select(['id', 'deleted_at']).execute()).toEqual([
      { id, deleted_at: null },
    ])
    expect(await sync.database.selectFrom('tombstones').selectAll().execute()).toEqual([])
  })

  it('a hard deletion goes on to foreign keys as they say', async () => {
    const sync = await database.open({ deletion: { users: 'hard' } })
    const users = sql.id(sync.location.schema, 'users')
    const notes = sql.id(sync.location.schema, 'own_notes')
    await sql`create table ${notes} (id text primary key, user_id text references ${users} (id) on delete cascade)`.execute(
      sync.database,
    )
    await deliver(sync, eventOf('user.created', { id: 'user_noted' }))
    await sql`insert into ${notes} values ('note', 'user_noted')`.execute(sync.database)
    await deliver(sync, eventOf('user.deleted', { id: 'user_noted' }, Date.now()))
    expect((await sql`select * from ${notes}`.execute(sync.database)).rows).toEqual([])
    await sql`drop table ${notes}`.execute(sync.database)
  })

  it.each(['anonymise', 'hard'] as const)('%s: a job goes on with many dependants', async (policy) => {
    const sync = await database.open({ deletion: { default: policy } })
    await emptyAll(sync)
    const organization = `org_${policy}`
    await deliver(sync, eventOf('organization.created', { id: organization }))
    const table = sql.id(sync.location.schema, 'organization_memberships')
    await sql`insert into ${table} (id, organization_id, observed_at, public_user_data, raw)
      select ${organization} || number, ${organization}, now(), '{"first_name": "Ada"}', '{"first_name": "Ada"}'
      from generate_series(1, 1500) as number`.execute(sync.database)
    await deliver(sync, eventOf('organization.deleted', { id: organization }, Date.now()))
    const pending = () => sync.database.selectFrom('pending_cascades').selectAll().execute()
    await expect.poll(pending).toEqual([])
    const alive = await sync.database
      .selectFrom('organization_memberships')
      .select('id')
      .where('organization_id', '=', organization)
      .where('deleted_at', 'is', null)
      .execute()
    expect(alive).toEqual([])
    await requirePolicy(sync, policy)
    if (policy !== 'hard') return
    const buried = await sync.database.selectFrom('tombstones').select('id').execute()
    expect(buried.filter(({ id }) => id.startsWith(organization))).toHaveLength(1_501)
  })

  it('an erasure takes over the tombstone, also by itself after some days', async () => {
    const sync = await database.open({ deletion: { users: 'hard' }, eraseAfterDays: 1 })
    await deliver(sync, eventOf('user.created', { id: 'user_due' }))
    await deliver(sync, eventOf('user.deleted', { id: 'user_due' }, Date.now() - 48 * HOUR))
    await sync.maintain()
    const users = sync.database.selectFrom('users').selectAll().where('id', '=', 'user_due')
    expect(await users.execute()).toMatchObject([{ erased_at: expect.any(Date), raw: null }])
    expect(
      await sync.database.selectFrom('tombstones').selectAll().where('id', '=', 'user_due').execute(),
    ).toEqual([])
    // Not even a later deletion takes the mark away.
    await deliver(sync, eventOf('user.deleted', { id: 'user_due' }, Date.now() - 72 * HOUR))
    expect(await users.execute()).toMatchObject([{ erased_at: expect.any(Date) }])
  })

  it('a policy of before keeps its word under another', async () => {
    const hard = await database.open({ deletion: { users: 'hard' } })
    await deliver(hard, eventOf('user.created', { id: 'user_once' }, Date.now() - HOUR))
    await deliver(hard, eventOf('user.deleted', { id: 'user_once' }, Date.now()))
    const soft = await database.open()
    const late = eventOf('user.updated', { id: 'user_once', updated_at: Date.now() + HOUR })
    expect(await deliver(soft, late)).toMatchObject({ outcome: 'stale', reason: 'resource_deleted' })
    expect(
      await soft.database.selectFrom('users').select('id').where('id', '=', 'user_once').execute(),
    ).toEqual([])
  })
})

async function requirePolicy({ database }: ClerkSync, policy: DeletionPolicy): Promise<void> {
  if (policy === 'soft') return
  for (const resource of RESOURCES.values()) {
    const deleted = await database
      .selectFrom(resource.table as 'users')
      .selectAll()
      .where('deleted_at', 'is not', null)
      .execute()
    if (policy === 'hard') expect(deleted).toEqual([])
    for (const row of deleted as unknown as Record<string, unknown>[]) {
      for (const column of personalColumns(resource))
        expect(row[column], `${resource.table}.${column}`).toBeNull()
      expect(row.raw === null || /^sha256:[0-9a-f]{64}$/.test(row.raw as string)).toBe(true)
    }
  }
}
