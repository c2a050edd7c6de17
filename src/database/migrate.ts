/** Brings the schema up to date, and says which code may work with it. */

import type { Kysely } from 'kysely'
import { ClerkSyncError } from '../errors.ts'
import { isLockTimeout, isMissing, isMissingColumn, isOutage, messageOf, toUnavailable } from './failure.ts'
import { qualify } from './identifier.ts'
import { initial, UNRELEASED } from './migrations/0001-initial.ts'
import { levelOf, type Migration } from './migrations/migration.ts'
import {
  describeMigration,
  MIGRATIONS_TABLE,
  type MigrationDatabase,
  runMigration,
} from './migrations/run.ts'
import { explainDenial } from './privilege.ts'
import { query } from './query.ts'
import type { ClerkTables } from './tables.ts'

/** In the order in which they run, which is that of their names. */
export const MIGRATIONS: readonly Migration[] = [initial]
export const MIGRATION_NAMES = MIGRATIONS.map(({ name }) => name)

/**
 * Runs the migrations that the database lacks and returns the names of those that ran here. Any number of processes may call
 * this at once: one works, the others wait. Where nothing is pending it takes no lock.
 *
 * @throws {ClerkSyncError} `migration_failed`: what ran before it stays, and the next call goes on there; `database_ahead`,
 *   `database_unreleased` or `database_unavailable`
 */
export async function migrate(database: MigrationDatabase, migrations = MIGRATIONS): Promise<string[]> {
  const { queries, schema } = database
  const ran: string[] = []
  const isPending = async ({ name }: Migration) =>
    (await pendingMigrations(queries, schema, migrations)).includes(name)
  try {
    const pending = await pendingMigrations(queries, schema, migrations)
    for (const migration of migrations.filter(({ name }) => pending.includes(name))) {
      if (await runMigration(database, migration, () => isPending(migration))) ran.push(migration.name)
    }
    return ran
  } catch (error) {
    throw (await explainDenial(queries, schema, error)) ?? toMigrationError(error)
  }
}

/**
 * The names of the migrations that the database lacks. Cheap enough for every readiness probe, and without a lock that a
 * migration could wait for.
 * @throws {ClerkSyncError} `database_ahead`, `database_unreleased` or `database_unavailable`
 */
export async function pendingMigrations(
  database: Kysely<ClerkTables>,
  schema: string,
  migrations = MIGRATIONS,
): Promise<string[]> {
  const ran = await readMigrations(database, schema)
  if (ran.some(({ name }) => UNRELEASED.includes(name))) throw new ClerkSyncError('database_unreleased')
  const own = levelOf(migrations.at(-1)?.name ?? '0')
  const oldest = Math.max(0, ...ran.map(({ level }) => level))
  if (oldest > own)
    throw new ClerkSyncError('database_ahead', `it needs schema level ${oldest}, this version has ${own}`)
  const names = new Set(ran.map(({ name }) => name))
  return migrations.map(({ name }) => name).filter((name) => !names.has(name))
}

interface RanMigration {
  readonly name: string
  readonly level: number
}

async function readMigrations(database: Kysely<ClerkTables>, schema: string): Promise<RanMigration[]> {
  const text = `select name, oldest_level as level from ${qualify(schema, MIGRATIONS_TABLE)}`
  return query<RanMigration>(database, text).catch((error) => {
    // Tables of a version that did not yet write down which code may use them.
    if (isMissingColumn(error)) throw new ClerkSyncError('database_unreleased', undefined, { cause: error })
    if (isMissing(error)) return []
    throw toUnavailable(error)
  })
}

/** The SQL of a migration, as it would run. */
export function migrationSql(name: string, schema: string): string {
  const migration = MIGRATIONS.find((candidate) => candidate.name === name)
  return migration ? describeMigration(migration, schema) : ''
}

function toMigrationError(error: unknown): ClerkSyncError {
  if (isLockTimeout(error))
    return new ClerkSyncError('migration_failed', 'a table it changes stayed locked', {
      cause: error,
      remedy: LOCKED_REMEDY,
    })
  if (error instanceof ClerkSyncError || isOutage(error)) return toUnavailable(error)
  return new ClerkSyncError('migration_failed', messageOf(error), { cause: error })
}

const LOCKED_REMEDY =
  'Nothing was changed by this step. Find what holds the lock (`select pid, state, query from pg_stat_activity order by xact_start`): a dump, or a transaction that somebody left open. Then run `clerk-sync migrate` again.'
