/** Brings the schema up to date: under a lock, in one transaction, from SQL inside the package. */

import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { ClerkSyncError } from '../errors.ts'
import { isMissing, isOutage, messageOf, toUnavailable } from './failure.ts'
import { qualify, quoteIdentifier } from './identifier.ts'
import * as initial from './migrations/0001-initial.ts'
import { explainDenial } from './privilege.ts'
import { query } from './query.ts'
import type { ClerkTables } from './tables.ts'

/** In the order in which they run, which is that of their names. */
const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [initial]
export const MIGRATION_NAMES = MIGRATIONS.map(({ name }) => name)
const MIGRATIONS_TABLE = 'migrations'

/**
 * Runs the migrations that the database lacks and returns their names.
 *
 * Kysely's migrator holds an advisory lock, so any number of processes may call this at once: one works, the others
 * wait and find nothing left to do.
 *
 * @throws {ClerkSyncError} `migration_failed`, with nothing changed, `database_ahead`, `database_unreleased` or
 *   `database_unavailable`
 */
export async function migrate(database: Kysely<ClerkTables>, schema: string): Promise<string[]> {
  const { error, results = [] } = await migrator(database, schema).migrateToLatest()
  if (error !== undefined) throw (await explainDenial(database, schema, error)) ?? toMigrationError(error)
  return results.filter((result) => result.status === 'Success').map((result) => result.migrationName)
}

/**
 * The names of the migrations that the database lacks. Cheap enough for every readiness probe.
 * @throws {ClerkSyncError} `database_ahead` or `database_unavailable`
 */
export async function pendingMigrations(database: Kysely<ClerkTables>, schema: string): Promise<string[]> {
  const table = qualify(schema, MIGRATIONS_TABLE)
  const ran = await query<{ name: string }>(database, `select name from ${table}`).catch((error) => {
    if (isMissing(error)) return []
    throw toUnavailable(error)
  })
  const unknown = ran.map(({ name }) => name).filter((name) => !MIGRATION_NAMES.includes(name))
  if (unknown.some((name) => initial.UNRELEASED.includes(name)))
    throw new ClerkSyncError('database_unreleased')
  if (unknown.length > 0) throw new ClerkSyncError('database_ahead', `it has ${unknown.join(', ')}`)
  return MIGRATION_NAMES.filter((name) => !ran.some((migration) => migration.name === name))
}

/** The SQL of a migration, as it would run. */
export function migrationSql(name: string, schema: string): string {
  const migration = MIGRATIONS.find((candidate) => candidate.name === name)
  return `set local search_path to ${quoteIdentifier(schema)};\n${migration?.sql}`
}

function migrator(database: Kysely<ClerkTables>, schema: string): Migrator {
  const migrations = MIGRATIONS.map(
    ({ name }) => [name, toKyselyMigration(migrationSql(name, schema))] as const,
  )
  return new Migrator({
    // The schema plugin of `database` would qualify the migrator's own tables a second time.
    db: database.withoutPlugins(),
    provider: { getMigrations: async () => Object.fromEntries(migrations) },
    migrationTableSchema: schema,
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: 'migrations_lock',
  })
}

/** Statement by statement: a prepared statement, which is all that PGlite's driver knows, holds only one. */
function toKyselyMigration(script: string): Migration {
  return {
    async up(db: Kysely<unknown>) {
      for (const statement of script.split(/;\n/)) {
        if (statement.trim() !== '') await sql.raw(statement).execute(db)
      }
    },
  }
}

function toMigrationError(error: unknown): ClerkSyncError {
  const message = messageOf(error)
  const isKyselys = message.startsWith('corrupted migrations')
  if (error instanceof ClerkSyncError || (isOutage(error) && !isKyselys)) return toUnavailable(error)
  if (isKyselys && initial.UNRELEASED.some((name) => message.includes(name)))
    return new ClerkSyncError('database_unreleased', undefined, { cause: error })
  const isAhead = isKyselys && message.endsWith('is missing')
  return new ClerkSyncError(isAhead ? 'database_ahead' : 'migration_failed', message, { cause: error })
}
