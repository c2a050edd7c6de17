import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { expect, it } from 'vitest'
import type { ClerkSync, ClerkSyncError, ClerkTables } from '../../src/index.ts'
import {
  describeEachDatabase,
  describeWithPostgres,
  postgresDatabase,
  type TestDatabase,
} from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { eventIn, forgetBody } from '../support/ledger.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

/** What a team can do to its own database: a constraint that some of Clerk's users do not meet. */
async function forbid(database: Kysely<ClerkTables>, schema: string, username: string): Promise<void> {
  const users = sql.id(schema, 'users')
  await sql`alter table ${users} add constraint ${sql.id(`no_${username}`)} check (username <> ${sql.lit(username)})`.execute(
    database,
  )
}

async function allow(database: Kysely<ClerkTables>, schema: string, username: string): Promise<void> {
  await sql`alter table ${sql.id(schema, 'users')} drop constraint ${sql.id(`no_${username}`)}`.execute(
    database,
  )
}

const user = (id: string, username: string) => eventOf('user.created', { id, username })

async function outcomes(sync: ClerkSync): Promise<Record<string, string>> {
  const rows = await sync.database.selectFrom('events').select(['resource_id', 'outcome']).execute()
  return Object.fromEntries(rows.map((row) => [row.resource_id, row.outcome]))
}

async function setUp(database: TestDatabase, username: string) {
  const sync = await database.open()
  const { schema } = await database.location()
  await forbid(sync.database, schema, username)
  return { sync, schema }
}

describeEachDatabase('an event that the database refuses', (database) => {
  it('is recorded as failed, and the others of its batch are applied', async () => {
    const { sync } = await setUp(database, 'poison')
    const receipts = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        deliver(sync, user(`user_p${index}`, index % 10 === 7 ? 'poison' : `name${index}`)),
      ),
    )
    const failed = receipts.filter((receipt) => receipt.outcome === 'failed')
    expect(failed.map((receipt) => receipt.resourceId)).toEqual(['user_p7', 'user_p17', 'user_p27'])
    expect(receipts.filter((receipt) => receipt.outcome === 'applied')).toHaveLength(27)
    const stored = await sync.database
      .selectFrom('events')
      .selectAll()
      .where('id', '=', failed[0]?.svixId as string)
      .executeTakeFirstOrThrow()
    expect(stored).toMatchObject({ outcome: 'failed', reason: 'rejected_by_database' })
    expect(stored.error).toContain('no_poison')
    expect(
      await sync.database.selectFrom('users').select('id').where('username', '=', 'poison').execute(),
    ).toEqual([])
  })

  it('fails again when replayed without a fix, and is applied after it', async () => {
    const { sync, schema } = await setUp(database, 'later')
    const { svixId } = await deliver(sync, user('user_later', 'later'))
    expect(await sync.replay({ ids: [svixId] })).toMatchObject({ matched: 1, failed: 1, applied: 0 })
    await allow(sync.database, schema, 'later')
    expect(await sync.replay({ outcomes: ['failed'], resourceIds: ['user_later'] })).toMatchObject({
      matched: 1,
      applied: 1,
    })
    expect(await outcomes(sync)).toMatchObject({ user_later: 'applied' })
    const replayed = await sync.database
      .selectFrom('events')
      .selectAll()
      .where('id', '=', svixId)
      .executeTakeFirstOrThrow()
    expect(replayed).toMatchObject({ reason: null, error: null })
    expect(replayed.replayed_at).toBeInstanceOf(Date)
    expect(
      await sync.database
        .selectFrom('users')
        .select('username')
        .where('id', '=', 'user_later')
        .executeTakeFirst(),
    ).toEqual({ username: 'later' })
  })

  it('does not bring an older state over a newer one when it is replayed late', async () => {
    const { sync, schema } = await setUp(database, 'overtaken')
    const at = (updatedAt: number, username: string) =>
      eventOf('user.updated', { id: 'user_overtaken', updated_at: updatedAt, username })
    await deliver(sync, at(1_900_000_000_000, 'overtaken'))
    await deliver(sync, at(1_900_000_000_001, 'newer'))
    await allow(sync.database, schema, 'overtaken')
    expect(await sync.replay({ outcomes: ['failed'], resourceIds: ['user_overtaken'] })).toMatchObject({
      matched: 1,
      stale: 1,
    })
    expect(
      await sync.database
        .selectFrom('users')
        .select('username')
        .where('id', '=', 'user_overtaken')
        .executeTakeFirst(),
    ).toEqual({ username: 'newer' })
  })

  it('is not acknowledged when even its record is not stored', async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    const swallow = sql.id(schema, 'swallow')
    await sql`create function ${swallow}() returns trigger language plpgsql as 'begin return null; end'`.execute(
      sync.database,
    )
    await sql`create trigger swallow before insert on ${sql.id(schema, 'events')}
      for each row when (new.id = 'msg_swallowed') execute function ${swallow}()`.execute(sync.database)
    const swallowed = deliver(sync, user('user_swallowed', 'swallowed'), { id: 'msg_swallowed' })
    await expect(swallowed).rejects.toMatchObject({ status: 503 })
  })

  it('is redelivered by Svix as a duplicate: it is safe here', async () => {
    const { sync } = await setUp(database, 'again')
    const event = user('user_again', 'again')
    expect(await deliver(sync, event, { id: 'msg_again' })).toMatchObject({ outcome: 'failed' })
    expect(await deliver(sync, event, { id: 'msg_again' })).toMatchObject({ outcome: 'duplicate' })
  })
})

describeWithPostgres('one event of a batch of fifty that cannot be applied', (url) => {
  const database = postgresDatabase(url)

  /** Prepares what breaks the 25th of fifty events, and delivers them at once. */
  async function deliverFifty(sync: ClerkSync, prefix: string) {
    const receipts = await Promise.all(
      Array.from({ length: 50 }, (_, at) => deliver(sync, user(`user_${prefix}${at}`, `${prefix}${at}`))),
    )
    const broken = receipts.filter(({ outcome }) => outcome !== 'applied')
    expect(broken.map(({ outcome, resourceId }) => [outcome, resourceId])).toEqual([
      ['failed', `user_${prefix}25`],
    ])
    return eventIn(sync, broken[0]?.svixId as string)
  }

  it('fails alone when our own code cannot go on with it, and is replayed after a repair', async () => {
    const sync = await database.open()
    await deliver(sync, user('user_own25', 'own25'))
    await sync.database.updateTable('users').set({ raw: null }).where('id', '=', 'user_own25').execute()
    expect(await deliverFifty(sync, 'own')).toMatchObject({ reason: 'internal_fault' })
    await sync.database.deleteFrom('users').where('id', '=', 'user_own25').execute()
    expect(await sync.replay({ outcomes: ['failed'] })).toMatchObject({ matched: 1, applied: 1 })
  })

  it('fails alone when the database refuses it', async () => {
    const { sync } = await setUp(database, 'refused25')
    const { reason, error } = await deliverFifty(sync, 'refused')
    expect(reason).toBe('rejected_by_database')
    expect(error).toContain('no_refused25')
  })

  it('fails alone when it breaks a unique index of the team’s own', async () => {
    const sync = await database.open()
    await deliver(sync, user('user_first', 'unique25'))
    const users = sql.id(sync.location.schema, 'users')
    await sql`create unique index own on ${users} (username) where username like 'unique%'`.execute(
      sync.database,
    )
    const { reason, error } = await deliverFifty(sync, 'unique')
    expect(reason).toBe('rejected_by_database')
    expect(error).toContain('own')
  })

  it('fails alone when it takes longer than a statement may', { timeout: 60_000 }, async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    const slow = sql.id(schema, 'slow')
    await sql`create function ${slow}() returns trigger language plpgsql as 'begin perform pg_sleep(20); return new; end'`.execute(
      sync.database,
    )
    await sql`create trigger slow before insert on ${sql.id(schema, 'users')}
      for each row when (new.id = 'user_slow25') execute function ${slow}()`.execute(sync.database)
    expect(await deliverFifty(sync, 'slow')).toMatchObject({ reason: 'timed_out' })
  })
})

describeEachDatabase('replaying', (database) => {
  it('selects by id, outcome, type, resource and time, and changes nothing that was applied', async () => {
    const sync = await database.open()
    const events = [
      ...[0, 1, 2, 3, 4].map((index) => user(`user_r${index}`, `r${index}`)),
      eventOf('organization.created', { id: 'org_r' }),
      { type: 'galaxy.created', data: { id: 'gal_r' } },
    ]
    const ids: string[] = []
    for (const event of events) {
      ids.push((await deliver(sync, event)).svixId)
      // Times of receipt have milliseconds.
      await sleep(3)
    }
    const { received_at: middle } = await sync.database
      .selectFrom('events')
      .select('received_at')
      .where('id', '=', ids[2] as string)
      .executeTakeFirstOrThrow()
    const rows = () => sync.database.selectFrom('users').selectAll().orderBy('id').execute()
    const usersBefore = await rows()

    expect(await sync.replay({})).toMatchObject({ matched: 7, applied: 6, parked: 1, failed: 0 })
    expect(await sync.replay({ types: ['user.*'] })).toMatchObject({ matched: 5 })
    expect(await sync.replay({ types: ['user.created', 'organization.created'] })).toMatchObject({
      matched: 6,
    })
    expect(await sync.replay({ resources: ['organizations'] })).toMatchObject({ matched: 1 })
    expect(await sync.replay({ resourceIds: ['user_r1', 'org_r'] })).toMatchObject({ matched: 2 })
    expect(await sync.replay({ outcomes: ['parked'] })).toMatchObject({ matched: 1 })
    expect(await sync.replay({ ids: ids.slice(0, 3) })).toMatchObject({ matched: 3 })
    expect(await sync.replay({ since: middle })).toMatchObject({ matched: 5 })
    expect(await sync.replay({ until: middle })).toMatchObject({ matched: 2 })
    expect(await sync.replay({ since: middle, types: ['user.*'] })).toMatchObject({ matched: 3 })
    expect(await sync.replay({ ids: [] })).toMatchObject({ matched: 0 })

    expect(await rows()).toEqual(usersBefore)
    expect(await outcomes(sync)).toMatchObject({ user_r0: 'applied', gal_r: 'parked' })
  })

  it('leaves standing what an event did when it came', async () => {
    const sync = await database.open()
    const at = (updatedAt: number, first_name: string) =>
      deliver(sync, eventOf('user.updated', { id: 'user_past', updated_at: updatedAt, first_name }))
    await at(1_900_000_000_000, 'Ada')
    await at(1_900_000_000_001, 'Eva')
    await at(1_900_000_000_002, 'Ida')
    const recorded = () =>
      sync.database
        .selectFrom('events')
        .leftJoin('event_changes', 'event_id', 'id')
        .select(['outcome', 'reason', 'changes'])
        .where('resource_id', '=', 'user_past')
        .orderBy('received_at')
        .orderBy('id')
        .execute()
    const before = await recorded()
    expect(before[1]?.changes).toMatchObject({ first_name: { from: 'Ada', to: 'Eva' } })
    // In the view of now, the first two are older than the row.
    expect(await sync.replay({ resourceIds: ['user_past'] })).toMatchObject({ stale: 2, applied: 1 })
    expect(await recorded()).toEqual(before)
  })

  it('goes through more events than fit into one batch, and stops when told', async () => {
    const sync = await database.open()
    const events = Array.from({ length: 250 }, (_, index) =>
      eventOf('role.created', { id: `role_${index}`, permissions: [] }),
    )
    await Promise.all(events.map((event) => deliver(sync, event)))
    const seen = new Set<string>()
    const result = await sync.replay(
      { resources: ['roles'] },
      { onReceipt: ({ svixId }) => seen.add(svixId) },
    )
    expect(result).toMatchObject({ matched: 250, applied: 250 })
    expect(seen.size).toBe(250)
    const stop = new AbortController()
    const aborted = sync.replay(
      { resources: ['roles'] },
      { signal: stop.signal, onReceipt: () => stop.abort() },
    )
    await expect(aborted).rejects.toThrow('aborted')
  })

  it('counts events whose body is no longer kept', async () => {
    const sync = await database.open()
    const { svixId } = await deliver(sync, user('user_purged', 'purged'))
    await forgetBody(sync, svixId)
    const gone: ClerkSyncError[] = []
    const result = await sync.replay({ ids: [svixId] }, { onBodyGone: (error) => gone.push(error) })
    expect(result).toMatchObject({ matched: 1, withoutBody: 1, applied: 0 })
    expect(gone).toMatchObject([{ code: 'body_gone', message: expect.stringContaining(svixId) }])
  })
})

describeWithPostgres('a batch whose events run alone', (url) => {
  const database = postgresDatabase(url)

  it('acknowledges those that were committed before the database went away', async () => {
    const { schema } = await setUp(database, 'poison')
    const proxy = await TcpProxy.to(new URL(url))
    const sync = await database.open({ database: proxy.url(new URL(url)) })
    let commits = 0
    // The batch as a whole was refused with the first one.
    proxy.cutAfter = (sent) => {
      if (sent.includes('commit') && ++commits === 12) proxy.refuses = true
      return proxy.refuses
    }
    // As many as go into one batch.
    const results = await Promise.allSettled(
      Array.from({ length: 32 }, (_, index) =>
        deliver(sync, user(`user_gone${index}`, index === 3 ? 'poison' : `gone${index}`)),
      ),
    )
    proxy.refuses = false
    proxy.cutAfter = undefined
    const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const recorded = await outcomes(await database.open({ database: url, schema }))
    const committed = Object.keys(recorded).filter((id) => id.startsWith('user_gone'))
    // The answers of the two that were under way got lost: nobody can know.
    expect(taken.length).toBeGreaterThanOrEqual(committed.length - 2)
    expect(taken.length).toBeGreaterThan(7)
    expect(taken.length).toBeLessThan(32)
    await proxy.close()
  })
})
