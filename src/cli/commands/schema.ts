/** `clerk-sync schema`: the synced tables, as other tools want them described. */

import type { Command } from 'commander'
import { resolveConfig } from '../../config.ts'
import { loadConfiguration } from '../../configuration/configuration.ts'
import { silentLogger } from '../../log.ts'
import { toDrizzle } from '../../schema/drizzle.ts'
import { toKysely } from '../../schema/kysely.ts'
import { toPrisma } from '../../schema/prisma.ts'
import { toSql } from '../../schema/sql.ts'
import { usageError } from '../failure.ts'
import { type GlobalOptions, withExamples } from '../options.ts'
import { Output } from '../output.ts'

/** By the name of its option. */
const FORMATS = {
  sql: toSql,
  drizzle: toDrizzle,
  prisma: toPrisma,
  kysely: toKysely,
} as const

type Format = keyof typeof FORMATS

interface SchemaOptions extends GlobalOptions, Partial<Record<Format, boolean>> {
  readonly schema?: string
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync schema --drizzle > src/db/clerk.ts', 'tables for Drizzle'],
    ['clerk-sync schema --prisma > prisma/clerk.prisma', 'models for Prisma'],
    ['clerk-sync schema --sql', 'the tables as SQL'],
  ])
  command
    .option('--sql', 'print create table statements')
    .option('--drizzle', 'print a Drizzle module')
    .option('--prisma', 'print Prisma models')
    .option('--kysely', 'print Kysely types')
    .option('--schema <name>', 'the schema of the tables (CLERK_SYNC_SCHEMA, else clerk)')
    .action((_, self: Command) => printSchema(self.optsWithGlobals()))
}

async function printSchema(options: SchemaOptions): Promise<void> {
  const { json, stdout } = new Output(options)
  const format = formatOf(options)
  const configuration = await loadConfiguration(options)
  const { schema } = resolveConfig({ ...configuration.options, log: silentLogger }, process.env)
  const text = FORMATS[format](schema)
  if (json) stdout.record({ format, schema, text })
  else stdout.exact(`${text}\n`)
}

function formatOf(options: SchemaOptions): Format {
  const names = Object.keys(FORMATS) as Format[]
  const [format, ...others] = names.filter((name) => options[name])
  if (format !== undefined && others.length === 0) return format
  throw usageError(
    'Exactly one format is required.',
    `Pass one of ${names.map((name) => `--${name}`).join(', ')}.`,
  )
}
