/** Runs migrations, beside whatever else uses the tables and however many processes want to at once. */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql, type Transaction } from 'kysely'
import type { Database } from '../database.ts'
import { isDeadlock, isLockTimeout } from '../failure.ts'
import { qualify, quoteIdentifier } from '../identifier.ts'
import { query } from '../query.ts'
import type { ClerkTables } from '../tables.ts'
import type { IndexMigration, Migration } from './migration.ts'

export const MIGRATIONS_TABLE = 'migrations'

/** What runs them: a few of a database's ways to send statements. */
export type MigrationDatabase = Pick<Database, 'kind' | 'schema' | 'queries' | 'runAlone'>

/**
 * A statement that waits for a table's lock blocks every later one on that table. Deliveries tolerate two seconds.
 * https://www.postgresql.org/docs/current/explicit-locking.html
 */
const LOCK_TIMEOUT_MS = 2_000
/** Then something holds a lock that does not give it back: a dump, or a transaction that somebody forgot. */
const MAX_TRIES = 30
const RETRY_MS = 500
/** Another process works on it. */
const LOOK_AGAIN_MS = 200
/** Leaves the disk and the locks to the traffic for a moment. */
const BETWEEN_BATCHES_MS = 10

type Step = 'ran' | 'more' | 'busy'

/**
 * Brings one migration to its end.
 * @param isPending asked again while another process works
 * @returns whether it ran here
 */
export async function runMigration(
  database: MigrationDatabase,
  migration: Migration,
  isPending: () => Promise<boolean>,
): Promise<boolean> {
  const isOver = migration.kind === 'batches' ? endOfBatches() : () => true
  for (;;) {
    const step = await patiently(() => takeStep(database, migration, isOver))
    if (step === 'ran') return true
    if (step === 'more') await sleep(BETWEEN_BATCHES_MS)
    if (step === 'busy') await sleep(LOOK_AGAIN_MS * (1 + Math.random()))
    if (step === 'busy' && !(await isPending())) return false
  }
}

/**
 * A batch that changes fewer rows than one before it has found nothing old any more: only what code of the version before has written
 * meanwhile, and goes on to write for as long as the migration would look for it.
 */
function endOfBatches(): (changed: bigint) => boolean {
  let largest = 0n
  return (changed) => {
    const isOver = changed === 0n || changed < largest
    if (changed > largest) largest = changed
    return isOver
  }
}

/** Again, where only somebody else's lock was in the way. */
async function patiently(work: () => Promise<Step>): Promise<Step> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === MAX_TRIES || !(isLockTimeout(error) || isDeadlock(error))) throw error
      await sleep(RETRY_MS * (1 + Math.random()))
    }
  }
}

/**
 * The lock is tried for, never waited for: a statement that waits keeps its snapshot, and an index that another process
 * builds concurrently waits for all snapshots. It ends with its transaction, so that a process which is killed leaves none.
 */
async function takeStep(
  database: MigrationDatabase,
  migration: Migration,
  isOver: (changed: bigint) => boolean,
): Promise<Step> {
  return database.queries
    .withoutPlugins()
    .transaction()
    .execute(async (trx) => {
      await query(trx, LIMITS)
      const [lock] = await query<{ isMine: boolean }>(trx, TRY_LOCK, [`${database.schema} migrations`])
      if (!lock?.isMine) return 'busy'
      await prepareTable(trx, database.schema)
      if (await hasRun(trx, database.schema, migration)) return 'busy'
      const isDone = isOver(await apply(trx, database, migration))
      if (isDone) await record(trx, database.schema, migration)
      return isDone ? 'ran' : 'more'
    })
}

/** Other limits of the role or the server would end a migration in its middle. */
const LIMITS = `select set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true),
  set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)`
const TRY_LOCK = `select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as "isMine"`

async function prepareTable(trx: Transaction<ClerkTables>, schema: string): Promise<void> {
  const exists = await query(trx, 'select 1 from pg_catalog.pg_namespace where nspname = $1', [schema])
  // Even with `if not exists` it needs the privilege to create schemas.
  if (exists.length === 0) await query(trx, `create schema ${quoteIdentifier(schema)}`)
  await query(
    trx,
    `create table if not exists ${qualify(schema, MIGRATIONS_TABLE)} (
      name text not null primary key,
      timestamp text not null default now()::text,
      oldest_level integer not null default 1
    )`,
  )
}

async function hasRun(trx: Transaction<ClerkTables>, schema: string, { name }: Migration): Promise<boolean> {
  const table = qualify(schema, MIGRATIONS_TABLE)
  return (await query(trx, `select 1 from ${table} where name = $1`, [name])).length > 0
}

async function record(trx: Transaction<ClerkTables>, schema: string, migration: Migration): Promise<void> {
  const { name, oldestLevel = 1 } = migration
  const table = qualify(schema, MIGRATIONS_TABLE)
  await query(trx, `insert into ${table} (name, oldest_level) values ($1, $2)`, [name, oldestLevel])
}

/** @returns how many rows it changed */
async function apply(
  trx: Transaction<ClerkTables>,
  database: MigrationDatabase,
  migration: Migration,
): Promise<bigint> {
  if (migration.kind === 'index' && database.kind === 'postgres') {
    // A statement with parameters keeps its snapshot until the next statement; the index would wait for it.
    await query(trx, 'select 1')
    await buildIndex(database, migration)
    return 0n
  }
  await query(trx, `set local search_path to ${quoteIdentifier(database.schema)}`)
  let changed = 0n
  for (const statement of statementsOf(migration)) {
    const { numAffectedRows = 0n } = await sql.raw(statement).execute(trx)
    changed += numAffectedRows
  }
  return changed
}

/** Statement by statement: a prepared statement, which is all that PGlite's driver knows, holds only one. */
function statementsOf(migration: Migration): string[] {
  if (migration.kind === 'index') return [createIndex(migration, '')]
  return migration.sql.split(/;\n/).filter((statement) => statement.trim() !== '')
}

function createIndex({ index, on, isUnique }: IndexMigration, how: string): string {
  return `create ${isUnique ? 'unique ' : ''}index ${how}${quoteIdentifier(index)} on ${on}`
}

/**
 * Outside any transaction, while the one around it keeps the lock. Without a limit for locks: what it asks for stops no
 * delivery, and it must outwait every transaction that is older.
 */
async function buildIndex({ schema, runAlone }: MigrationDatabase, migration: IndexMigration): Promise<void> {
  const name = qualify(schema, migration.index)
  await runAlone(async (run) => {
    for (const setting of SETTINGS) await run(setting)
    await run(`set search_path to ${quoteIdentifier(schema)}`)
    while ((await run(BUILDERS, [name])).length > 0) await sleep(LOOK_AGAIN_MS)
    const [index] = await run(
      `select indisvalid as "isValid" from pg_catalog.pg_index where indexrelid = to_regclass($1)`,
      [name],
    )
    if (index?.isValid) return
    if (index) await run(`drop index concurrently ${name}`)
    await run(createIndex(migration, 'concurrently '))
  })
}

const SETTINGS = [
  'set lock_timeout = 0',
  'set statement_timeout = 0',
  // Postgres 14 and later notice that the process which builds an index is gone, and stop building.
  `select set_config(name, '1000', false) from pg_catalog.pg_settings where name = 'client_connection_check_interval'`,
]

/**
 * Somebody builds it although the lock was free: the session of a process that was killed goes on until Postgres notices.
 * To drop the index under it fails with "tuple concurrently updated".
 */
const BUILDERS = 'select 1 from pg_catalog.pg_stat_progress_create_index where index_relid = to_regclass($1)'

/** A migration as it would run, for people. */
export function describeMigration(migration: Migration, schema: string): string {
  const path = `search_path to ${quoteIdentifier(schema)};\n`
  if (migration.kind === 'statements') return `set local ${path}${migration.sql}`
  if (migration.kind === 'index') return `set ${path}${createIndex(migration, 'concurrently ')};\n`
  return `set local ${path}-- repeated until it changes no row\n${migration.sql}`
}
