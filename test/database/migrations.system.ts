/** Upgrades beside traffic: every kind of step, processes that are killed in it, and twenty that want it at once. */

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { MIGRATIONS, migrate, pendingMigrations } from '../../src/database/migrate.ts'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import { describeEachDatabase, describeWithPostgres, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { AFTER_NEXT, EXPAND, NEXT } from './future-migrations.ts'
import { startProcess } from './processes.ts'

const NEW = EXPAND.map(({ name }) => name)
const SEEDED = 2_000

/**
 * A database with users and a sync of the version before. It is one of its own: an index that is built concurrently waits for
 * every older transaction of its database, those of other tests too.
 */
async function filled(server: string) {
  const name = `upgrade_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: server })
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(`/${name}`, server).href
  const schema = 'clerk'
  const sync = createClerkSync({ signingSecret: SECRET, log: silent, database: url, schema })
  const database = openDatabase(url, schema, { maxConnections: 5 })
  await sync.migrate()
  await deliver(sync, eventOf('user.created'))
  onTestFinished(async () => {
    await sync.close()
    await database.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  })
  const client = await connect(url)
  const users = `"${schema}".users`
  await client.query(`
    insert into ${users}
    select (jsonb_populate_record(seed, jsonb_build_object('id', 'user_seed' || nr))).*
    from ${users} seed, generate_series(1, ${SEEDED}) nr`)
  return { url, schema, sync, database, client, users }
}

/** Delivers without a pause until it is stopped; then tells how long the slowest took. Fails with the first refusal. */
function load(sync: ClerkSync) {
  let isOver = false
  let slowest = 0
  let count = 0
  const sender = async () => {
    while (!isOver) {
      const startedAt = performance.now()
      await deliver(sync, eventOf('user.created', { id: `user_${randomBytes(8).toString('hex')}` }))
      slowest = Math.max(slowest, performance.now() - startedAt)
      count++
    }
  }
  const sending = Promise.all([sender(), sender()])
  return {
    stop: async () => {
      isOver = true
      await sending
      return { slowest, count }
    },
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function indexes(client: pg.Client, schema: string): Promise<{ oid: number; valid: boolean }[]> {
  const { rows } = await client.query<{ oid: number; valid: boolean }>(
    `select pg_class.oid, indisvalid as valid from pg_index join pg_class on pg_class.oid = indexrelid
     where relname = 'users_note_idx' and relnamespace = $1::regnamespace`,
    [`"${schema}"`],
  )
  return rows
}

async function indexState(client: pg.Client, schema: string): Promise<boolean[]> {
  return (await indexes(client, schema)).map(({ valid }) => valid)
}

async function looksForBuilders(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
     and query like '%pg_stat_progress_create_index%'`,
  )
  return rows.length > 0
}

async function unfilled(client: pg.Client, users: string): Promise<number> {
  const { rows } = await client.query(`select 1 from ${users} where note is null and id like 'user_seed%'`)
  return rows.length
}

describeEachDatabase('a migration of every kind', (at) => {
  it('runs, once, and what ran before a failure stays', async () => {
    const { database: url, schema } = await at.location()
    await at.open()
    const database: Database = openDatabase(url, schema, { maxConnections: 5 })
    const broken = { name: '9004_broken', kind: 'statements', sql: 'select 1;\nselect nonsense;\n' } as const
    await expect(migrate(database, [...NEXT, broken])).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('nonsense'),
    })
    expect(await pendingMigrations(database.queries, schema, [...NEXT, broken])).toEqual(['9004_broken'])
    expect(await migrate(database, NEXT)).toEqual([])
    const { rows } = await sql`select note from ${sql.id(schema, 'users')}`.execute(database.queries)
    expect(rows).toEqual([])
    await database.close()
  })
})

describeWithPostgres('an upgrade under load', (server) => {
  it('of twenty callers at once runs every step once, and refuses no delivery of the version before', async () => {
    const { url, schema, sync, client, users } = await filled(server)
    const traffic = load(sync)
    const databases = Array.from({ length: 20 }, () => openDatabase(url, schema, { maxConnections: 2 }))
    const ran = await Promise.all(databases.map((each) => migrate(each, NEXT)))
    expect(ran.flat().sort()).toEqual(NEW)
    for (const each of databases) await each.close()
    await sync.check()
    const { slowest, count } = await traffic.stop()
    expect(count).toBeGreaterThan(10)
    expect(slowest).toBeLessThan(4_000)
    expect(await unfilled(client, users)).toBe(0)
    expect(await indexState(client, schema)).toEqual([true])
  }, 60_000)

  it('waits for a lock two seconds at most, lets deliveries through, and tries again', async () => {
    const { schema, sync, database, client, users } = await filled(server)
    await client.query(`begin; lock table ${users} in access share mode`)
    const traffic = load(sync)
    // Only the step that needs the lock: batches would race with traffic that never pauses.
    const withColumn = NEXT.slice(0, MIGRATIONS.length + 1)
    const migrating = migrate(database, withColumn)
    await sleep(3_000)
    expect(await pendingMigrations(database.queries, schema, withColumn)).toEqual(NEW.slice(0, 1))
    await client.query('commit')
    expect(await migrating).toEqual(NEW.slice(0, 1))
    const { slowest } = await traffic.stop()
    expect(slowest).toBeLessThan(3_500)
  }, 60_000)

  it('takes no lock when nothing is pending', async () => {
    const { schema, sync, client } = await filled(server)
    await client.query(`select pg_advisory_lock(hashtextextended('${schema} migrations', 0))`)
    expect(await sync.migrate()).toEqual([])
  })

  it('killed while it moves data goes on where it was', async () => {
    const { url, schema, database, client, users } = await filled(server)
    const upgrade = startProcess({ command: 'upgrade', database: url, schema })
    await vi.waitFor(async () => expect(await unfilled(client, users)).toBeLessThan(SEEDED), {
      timeout: 20_000,
      interval: 5,
    })
    await upgrade.kill()
    expect(await unfilled(client, users)).toBeGreaterThan(0)
    expect(await migrate(database, NEXT)).toEqual(['9002_fill_notes', '9003_notes_index'])
    expect(await unfilled(client, users)).toBe(0)
  }, 60_000)

  it('killed while it builds an index builds it again', async () => {
    const { url, schema, database, client } = await filled(server)
    // An index that is built concurrently waits for older transactions, after it has become visible.
    await client.query('begin isolation level repeatable read; select txid_current()')
    const upgrade = startProcess({ command: 'upgrade', database: url, schema })
    const other = await connect(url)
    await vi.waitFor(async () => expect(await indexState(other, schema)).toEqual([false]), {
      timeout: 20_000,
    })
    await upgrade.kill()
    await client.query('rollback')
    expect(await migrate(database, NEXT)).toEqual(['9003_notes_index'])
    expect(await indexState(other, schema)).toEqual([true])
  }, 60_000)

  it('waits for the session of a killed process that still builds an index, and takes what it built', async () => {
    const { url, schema, database, client, users } = await filled(server)
    await migrate(database, NEXT.slice(0, -1))
    await client.query('begin isolation level repeatable read; select txid_current()')
    const [builder, other] = [await connect(url), await connect(url)]
    const building = builder.query(`create index concurrently users_note_idx on ${users} (note)`)
    await vi.waitFor(async () => expect(await indexState(other, schema)).toEqual([false]))
    const migrating = migrate(database, NEXT)
    await vi.waitFor(async () => expect(await looksForBuilders(other)).toBe(true))
    await client.query('rollback')
    await building
    const built = await indexes(other, schema)
    expect(await migrating).toEqual(['9003_notes_index'])
    expect(await indexes(other, schema)).toEqual(built)
    expect(built).toMatchObject([{ valid: true }])
  }, 60_000)

  it('ends the version before only with a contract step: it is refused, and says what to do', async () => {
    const { sync, database } = await filled(server)
    await migrate(database, NEXT)
    await sync.check()
    expect(await migrate(database, AFTER_NEXT)).toEqual(['9004_notes_are_required'])
    const refusal = { code: 'database_ahead', message: expect.stringContaining('level 9001') }
    await expect(sync.check()).rejects.toMatchObject(refusal)
    await expect(deliver(sync, eventOf('user.created', { id: 'user_late' }))).rejects.toMatchObject(refusal)
    await expect(sync.migrate()).rejects.toMatchObject(refusal)
    // The release between the two works beside it.
    expect(await migrate(database, NEXT)).toEqual([])
  })
})
