/** `clerk-sync migrate`: creates and updates the tables. */

import type { Command } from 'commander'
import { requireDatabase } from '../../database/embedded-folder.ts'
import { migrationSql, pendingMigrations } from '../../database/migrate.ts'
import type { ClerkSync } from '../../index.ts'
import { EXIT } from '../failure.ts'
import { withSync } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import type { Output } from '../output.ts'

interface MigrateOptions extends DatabaseOptions {
  readonly dryRun?: boolean
  readonly check?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync migrate', 'run pending migrations; safe to run concurrently'],
    ['clerk-sync migrate --dry-run | less', 'read the SQL first'],
    ['clerk-sync migrate --check', 'exit with 3 if anything is pending, as in CI'],
  ])
  withDatabaseOptions(command)
    .option('--dry-run', 'print the SQL of pending migrations; change nothing')
    .option('--check', 'exit with 3 if anything is pending; change nothing')
    .action((_, self: Command) => migrate(self.optsWithGlobals()))
}

function migrate(options: MigrateOptions): Promise<void> {
  const work = options.check ? check : options.dryRun ? dryRun : run
  return withSync(options, work)
}

async function run(sync: ClerkSync, output: Output): Promise<void> {
  const { name, schema } = sync.location
  output.note(`Migrating schema ${schema} in ${name} …`)
  const ran = await sync.migrate()
  output.print({ ran }, () => ran)
  output.note(ran.length > 0 ? `Done: ran ${ran.length}.` : 'Nothing to do: the schema is up to date.')
}

async function check(sync: ClerkSync, output: Output): Promise<void> {
  const pending = await findPending(sync)
  output.print({ pending }, () => pending)
  output.note(
    pending.length > 0 ? `${pending.length} pending: run clerk-sync migrate.` : 'The schema is up to date.',
  )
  if (pending.length > 0) process.exitCode = EXIT.foundProblems
}

async function dryRun(sync: ClerkSync, output: Output): Promise<void> {
  const names = await findPending(sync)
  const pending = names.map((name) => ({ name, sql: migrationSql(name, sync.location.schema) }))
  output.print({ pending }, () => pending.map(({ name, sql }) => `-- ${name}\n${sql}`))
  output.note(pending.length > 0 ? 'Nothing was changed.' : 'Nothing is pending: the schema is up to date.')
}

function findPending(sync: ClerkSync): Promise<string[]> {
  requireDatabase(sync.location)
  return pendingMigrations(sync.database, sync.location.schema)
}
