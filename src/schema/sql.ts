/** The tables as SQL, for reading and for databases of tests. `clerk-sync migrate` makes them, with their indexes. */

import { quoteIdentifier } from '../database/identifier.ts'
import { type ColumnDefinition, TABLES, type TableDefinition } from './definitions.ts'

export function toSql(schema: string): string {
  const tables = TABLES.map((table) => createTable(table, schema))
  return [`create schema if not exists ${quoteIdentifier(schema)};`, ...tables].join('\n\n')
}

function createTable({ name, description, key, columns }: TableDefinition, schema: string): string {
  const lines = [...columns.map(toColumn), `primary key (${key.join(', ')})`]
  const body = lines.map((line) => `  ${line}`).join(',\n')
  return `-- ${description}\ncreate table ${quoteIdentifier(schema)}.${name} (\n${body}\n);`
}

function toColumn({ name, type, isNullable, hasDefault }: ColumnDefinition): string {
  return [name, type, ...(isNullable ? [] : ['not null']), ...(hasDefault ? ['default now()'] : [])].join(' ')
}
