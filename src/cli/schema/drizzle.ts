/** The tables for Drizzle. https://orm.drizzle.team/docs/sql-schema-declaration */

import { type ColumnDefinition, type SqlType, TABLES, type TableDefinition } from './definitions.ts'
import { toCamelCase } from './names.ts'

const TYPES: Readonly<Record<SqlType, string>> = {
  text: 'text',
  boolean: 'boolean',
  integer: 'integer',
  timestamptz: 'timestamp',
  jsonb: 'jsonb',
  json: 'json',
}

export function toDrizzle(schema: string): string {
  // Drizzle refuses a pgSchema of this name.
  const isPublic = schema === 'public'
  const imports = [...Object.values(TYPES), isPublic ? 'pgTable' : 'pgSchema', 'primaryKey'].sort()
  const head = [
    `import { ${imports.join(', ')} } from 'drizzle-orm/pg-core'`,
    ...(isPublic ? [] : ['', `export const clerk = pgSchema(${JSON.stringify(schema)})`]),
  ]
  const create = isPublic ? 'pgTable' : 'clerk.table'
  return [head.join('\n'), ...TABLES.map((table) => toTable(table, create))].join('\n\n')
}

function toTable({ name, description, key, columns }: TableDefinition, create: string): string {
  const lines = columns.map((column) => `  ${toCamelCase(column.name)}: ${toColumn(column, key)},`)
  const extra =
    key.length === 1
      ? ''
      : `, (table) => [primaryKey({ columns: [${key.map((each) => `table.${toCamelCase(each)}`).join(', ')}] })]`
  return `/** ${description} */\nexport const ${toCamelCase(name)} = ${create}('${name}', {\n${lines.join('\n')}\n}${extra})`
}

function toColumn({ name, type, isNullable, hasDefault }: ColumnDefinition, key: readonly string[]): string {
  const options = type === 'timestamptz' ? ', { withTimezone: true }' : ''
  const isOnlyKey = key.length === 1 && key[0] === name
  return [
    `${TYPES[type]}('${name}'${options})`,
    ...(isNullable || isOnlyKey ? [] : ['.notNull()']),
    ...(isOnlyKey ? ['.primaryKey()'] : []),
    ...(hasDefault ? ['.defaultNow()'] : []),
  ].join('')
}
