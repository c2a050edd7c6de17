import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { type ClerkSync, createClerkSync, type RetentionOptions } from '../../src/index.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { eventIn } from '../support/ledger.ts'

const DAY_MS = 86_400_000
const OLD = new Date(Date.UTC(2024, 4, 15, 12))
let made = 0

const newUser = (id = `user_kept${made++}`) => eventOf('user.created', { id })

describeEachDatabase('retention', (database) => {
  const opened = (retention: RetentionOptions = {}) => database.open({ retention })

  /** A partition for May 2024: what `age` moves there is past every retention. */
  async function withOldPartition(retention?: RetentionOptions): Promise<ClerkSync> {
    const sync = await opened(retention)
    for (const part of ['event_bodies', 'event_changes']) {
      const parent = sql.id(sync.location.schema, part)
      const leaf = sql.id(sync.location.schema, `${part}_20240501_20240601`)
      await sql`create table if not exists ${leaf} (like ${parent} including all)`.execute(sync.database)
      await sql`alter table ${parent} attach partition ${leaf}
        for values from ('2024-05-01T00:00:00Z') to ('2024-06-01T00:00:00Z')`
        .execute(sync.database)
        .catch(() => undefined)
    }
    return sync
  }

  /** As if it had been received then. */
  async function age(sync: ClerkSync, id: string, at = OLD): Promise<void> {
    const { schema } = sync.location
    await sql`update ${sql.id(schema, 'events')} set received_at = ${at} where id = ${id}`.execute(
      sync.database,
    )
    for (const part of ['event_bodies', 'event_changes']) {
      await sql`update ${sql.id(schema, part)} set filed_at = ${at} where event_id = ${id}`.execute(
        sync.database,
      )
    }
  }

  async function sizeOf(sync: ClerkSync, leaf: string): Promise<number> {
    const { rows } = await sql<{ bytes: number | null }>`
      select pg_total_relation_size(to_regclass(${`"${sync.location.schema}"."${leaf}"`}))::float8 as bytes`.execute(
      sync.database,
    )
    return rows[0]?.bytes ?? 0
  }

  async function oldEvent(sync: ClerkSync): Promise<string> {
    const { svixId } = await deliver(sync, newUser())
    await age(sync, svixId)
    return svixId
  }

  it('forgets old bodies with their partition, gives the disk back, and keeps the ids', async () => {
    const sync = await withOldPartition()
    const event = newUser()
    const { svixId } = await deliver(sync, event)
    await age(sync, svixId)
    expect(await sizeOf(sync, 'event_bodies_20240501_20240601')).toBeGreaterThan(8_192)
    const dry = await sync.maintain({ dryRun: true })
    expect((await eventIn(sync, svixId)).body).not.toBeNull()
    const real = await sync.maintain()
    expect(real?.forgotten.eventBodies).toMatchObject({ rows: 1, bytes: expect.any(Number), held: 0 })
    expect(real?.forgotten.eventBodies.bytes).toBeGreaterThan(8_192)
    expect(amounts(dry)).toEqual(amounts(real))
    expect(await sizeOf(sync, 'event_bodies_20240501_20240601')).toBeLessThan(40_000)
    expect(await eventIn(sync, svixId)).toMatchObject({ id: svixId, body: null })
    expect(await deliver(sync, event, { id: svixId })).toMatchObject({ outcome: 'duplicate' })
    expect(await sync.replay({ ids: [svixId] })).toMatchObject({ matched: 1, withoutBody: 1 })
    expect((await sync.maintain())?.forgotten.eventBodies.rows).toBe(0)
  })

  it('shows in the vitals that it stands still, and that it has gone on', async () => {
    const sync = await withOldPartition()
    await oldEvent(sync)
    await sync.database.updateTable('maintenance').set({ ended_at: OLD }).execute()
    const before = (await sync.vitals()).retention
    const age = (Date.now() - OLD.getTime()) / 1_000
    expect(Math.abs(Number(before.maintenanceAge) - age)).toBeLessThan(60)
    expect(Math.abs(Number(before.oldestBodyAge) - age)).toBeLessThan(60)
    await sync.maintain()
    const after = (await sync.vitals()).retention
    expect(after.maintenanceAge).toBeLessThan(60)
    expect(Number(after.oldestBodyAge)).toBeLessThan(600)
    const sizes = [before, after].map(({ parts }) => parts.get('event_bodies'))
    expect(sizes[1]?.partitions).toBe(Number(sizes[0]?.partitions) - 1)
    expect(sizes[1]?.bytes).toBeLessThan(Number(sizes[0]?.bytes))
  })

  it('keeps what a run that is not finished needs, until it is', async () => {
    const sync = await withOldPartition()
    const name = `slow-${made++}`
    const seen: string[] = []
    let mayRun = false
    sync.on(
      'user.created',
      ({ event }) => {
        if (!mayRun) throw new Error('not yet')
        seen.push(event.data.id)
      },
      { name, retries: 0 },
    )
    const held = await oldEvent(sync)
    const heldBefore = await sync.maintain({ dryRun: true })
    const maintained = await sync.maintain()
    expect(maintained?.forgotten.eventBodies).toMatchObject({ rows: 0, held: 1 })
    expect(amounts(heldBefore)).toEqual(amounts(maintained))
    expect((await eventIn(sync, held)).body).not.toBeNull()

    await sync.drain()
    await sync.maintain()
    expect((await eventIn(sync, held)).body).not.toBeNull()
    mayRun = true
    await sync.handlers.retry({ eventIds: [held] })
    await sync.drain()
    expect(seen).toHaveLength(1)
    expect((await sync.maintain({ dryRun: true }))?.forgotten.eventBodies.rows).toBe(1)
    expect((await sync.maintain())?.forgotten.eventBodies).toMatchObject({ rows: 1 })
    expect((await eventIn(sync, held)).body).toBeNull()
  })

  it('stores what has no partition, forgets it in batches, and gives an emptied table back', async () => {
    const sync = await opened()
    const ids = [await oldEvent(sync), await oldEvent(sync)]
    expect((await eventIn(sync, ids[0] as string)).body).not.toBeNull()
    const dry = await sync.maintain({ dryRun: true })
    const real = await sync.maintain()
    expect(real?.forgotten.eventBodies.rows).toBe(2)
    expect(amounts(dry)).toEqual(amounts(real))
    expect(await sizeOf(sync, 'event_bodies_default')).toBeLessThan(40_000)
  })

  it('takes deliveries without any partition, and makes one for the days after them', async () => {
    const sync = await opened()
    // The embedded database prepares itself, partitions too, before the first one.
    await deliver(sync, newUser())
    await sync.database.deleteFrom('event_bodies').execute()
    const { rows } = await sql<{ name: string }>`
      select relname as name from pg_class join pg_inherits on inhrelid = oid
      where relnamespace = ${sync.location.schema}::regnamespace and relkind = 'r' and relname ~ 'event_bodies_\\d'`.execute(
      sync.database,
    )
    expect(rows.length).toBeGreaterThan(1)
    for (const { name } of rows) {
      await sql`drop table ${sql.id(sync.location.schema, name)}`.execute(sync.database)
    }
    const { svixId } = await deliver(sync, newUser())
    expect((await eventIn(sync, svixId)).body).not.toBeNull()
    const made = (await sync.maintain())?.partitions.filter((name) => name.startsWith('event_bodies'))
    const tomorrow = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')
    expect(made?.[0]).toContain(`event_bodies_${tomorrow}_`)
    expect((await sync.maintain())?.partitions).toEqual([])
  })

  it('forgets rows of each kind by its own time, and as many as it said', async () => {
    const sync = await opened({ endedSessions: 20, messages: '10d', jobs: 5 })
    const { database } = sync
    for (const [id, status] of [
      ['sess_ended', 'ended'],
      ['sess_open', 'active'],
    ] as const) {
      await deliver(sync, eventOf('session.created', { id, status }))
    }
    await deliver(sync, eventOf('email.created', { id: 'ema_old' }))
    const synced_at = new Date(Date.now() - 30 * DAY_MS)
    await database.updateTable('sessions').set({ synced_at }).execute()
    await database.updateTable('emails').set({ synced_at }).execute()
    const job = {
      kind: 'reconcile',
      status: 'complete' as const,
      scope: '{}',
      progress: '{}',
      finished_at: synced_at,
    }
    await database
      .insertInto('jobs')
      .values([
        { ...job, id: 'job_old', created_at: synced_at },
        { ...job, id: 'job_last', created_at: new Date(synced_at.getTime() + 1) },
      ])
      .execute()
    const dry = await sync.maintain({ dryRun: true })
    const real = await sync.maintain()
    expect(amounts(real)).toMatchObject({ endedSessions: [1, 0], messages: [1, 0], jobs: [1, 0] })
    expect(amounts(dry)).toEqual(amounts(real))
    expect(await database.selectFrom('sessions').select('id').execute()).toEqual([{ id: 'sess_open' }])
    const jobs = await database.selectFrom('jobs').select('id').where('kind', '=', 'reconcile').execute()
    expect(jobs).toEqual([{ id: 'job_last' }])
  })

  it('keeps for ever what is to be kept for ever', async () => {
    const sync = await withOldPartition({ eventBodies: 'forever', changes: false })
    const id = await oldEvent(sync)
    const result = await sync.maintain()
    expect(result?.forgotten.eventBodies).toEqual({ before: null, rows: 0, bytes: 0, held: 0 })
    expect((await eventIn(sync, id)).body).not.toBeNull()
  })

  it('is done by one process at a time', async () => {
    const sync = await withOldPartition()
    await oldEvent(sync)
    const expected = (await sync.maintain({ dryRun: true }))?.forgotten.eventBodies.rows
    const results = await Promise.all([sync.maintain(), sync.maintain(), sync.maintain()])
    const done = results.filter((result) => result !== null)
    expect(done.reduce((sum, { forgotten }) => sum + forgotten.eventBodies.rows, 0)).toBe(expected)
    const lease = { holder: 'another', lease_until: new Date(Date.now() + 60_000) }
    await sync.database.updateTable('maintenance').set(lease).execute()
    expect(await sync.maintain()).toBeNull()
    await sync.database.updateTable('maintenance').set({ lease_until: new Date() }).execute()
    expect(await sync.maintain()).not.toBeNull()
  })

  it('is done by a drain where no server stays', async () => {
    const sync = await withOldPartition()
    const id = await oldEvent(sync)
    await sync.database
      .updateTable('maintenance')
      .set({ ended_at: new Date(0) })
      .execute()
    await sync.drain({ maxSeconds: 10 })
    expect((await eventIn(sync, id)).body).toBeNull()
  })
})

describeWithPostgres('retention beside somebody who reads', (url) => {
  it('leaves a partition that a dump holds to the next maintenance, and says so', async () => {
    const database = postgresDatabase(url)
    const sync = await database.open()
    const [leaf] = await database
      .open()
      .then(async ({ location }) => [sql.id(location.schema, 'event_bodies_20240501_20240601')])
    const parent = sql.id(sync.location.schema, 'event_bodies')
    await sql`create table ${leaf} (like ${parent} including all)`.execute(sync.database)
    await sql`insert into ${leaf} (event_id, filed_at, body) values ('msg_dumped', ${OLD}, 'x')`.execute(
      sync.database,
    )
    await sql`alter table ${parent} attach partition ${leaf}
      for values from ('2024-05-01T00:00:00Z') to ('2024-06-01T00:00:00Z')`.execute(sync.database)
    await sync.database.transaction().execute(async (dump) => {
      await sql`lock table ${leaf} in access share mode`.execute(dump)
      const result = await sync.maintain()
      expect(result).toMatchObject({ isComplete: false, forgotten: { eventBodies: { rows: 0 } } })
    })
    expect(await sync.maintain()).toMatchObject({ isComplete: true, forgotten: { eventBodies: { rows: 1 } } })
  })
})

describe('the options of retention', () => {
  it.each([
    [{ eventBodies: 0 }, 'retention.eventBodies must be days, at least 1'],
    [{ runs: '90' }, 'retention.runs must be days'],
    [{ runs: '3 months' }, 'retention.runs must be days'],
    [{ eventMinutes: '2d' }, 'retention.eventMinutes must be days, at least 8'],
    [{ audit: 400_000 }, 'retention.audit must be days'],
    [{ bodies: '90d' }, 'retention has bodies; there are eventBodies,'],
  ])('are refused by name: %j', (retention, message) => {
    const create = () => createClerkSync({ retention: retention as RetentionOptions, database: 'memory://' })
    expect(create).toThrow(message)
  })
})

/** Rows and bytes of each kind. */
function amounts(result: Awaited<ReturnType<ClerkSync['maintain']>>): Record<string, number[]> {
  const entries = Object.entries(result?.forgotten ?? {})
  return Object.fromEntries(entries.map(([kind, { rows, bytes }]) => [kind, [rows, bytes]]))
}
