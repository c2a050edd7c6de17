/** The tables for Kysely, for code that does not depend on clerk-sync; with it there is `ClerkSchema`. */

import {
  type ColumnDefinition,
  type SqlType,
  TABLES,
  type TableDefinition,
  toModelName,
} from './definitions.ts'

const TYPES: Readonly<Record<SqlType, string>> = {
  text: 'string',
  boolean: 'boolean',
  integer: 'number',
  // As `pg` reads it by default.
  bigint: 'string',
  timestamptz: 'Date',
  jsonb: 'unknown',
  json: 'unknown',
}

export function toKysely(schema: string): string {
  const tables = TABLES.map(({ name }) => `  ${JSON.stringify(`${schema}.${name}`)}: ${toModelName(name)}`)
  return [
    "import type { Generated } from 'kysely'",
    `/** Add your own tables: new Kysely<Clerk & Mine>({ … }) */\nexport interface Clerk {\n${tables.join('\n')}\n}`,
    ...TABLES.map(toInterface),
  ].join('\n\n')
}

function toInterface({ name, description, columns }: TableDefinition): string {
  return `/** ${description} */\nexport interface ${toModelName(name)} {\n${columns.map(toProperty).join('\n')}\n}`
}

function toProperty({ name, type, isNullable, hasDefault }: ColumnDefinition): string {
  const value = TYPES[type]
  if (hasDefault) return `  ${name}: Generated<${value}>`
  return `  ${name}: ${isNullable && value !== 'unknown' ? `${value} | null` : value}`
}
