/** The tables for Drizzle. https://orm.drizzle.team/docs/sql-schema-declaration */

import {
  type ColumnDefinition,
  RELATIONS,
  type RelationDefinition,
  type SqlType,
  TABLES,
  type TableDefinition,
  toCamelCase,
  toManyField,
  toOneField,
} from './definitions.ts'

const TYPES: Readonly<Record<SqlType, string>> = {
  text: 'text',
  boolean: 'boolean',
  integer: 'integer',
  bigint: 'bigint',
  timestamptz: 'timestamp',
  jsonb: 'jsonb',
  json: 'json',
}

const HEADER = [
  '// Made by: clerk-sync schema --drizzle > src/db/clerk.ts',
  '// Keep it in a file of its own, and run the command again after an upgrade: it replaces the file.',
  '// clerk-sync migrates these tables: import from this file, but do not list it as `schema` in drizzle.config.ts, or',
  '// drizzle-kit will create them as well.',
]

/** Amounts of money are far from where a number loses its exactness. */
const OPTIONS: Readonly<Partial<Record<SqlType, string>>> = {
  timestamptz: ', { withTimezone: true }',
  bigint: ", { mode: 'number' }",
}

export function toDrizzle(schema: string): string {
  // Drizzle refuses a pgSchema of this name.
  const isPublic = schema === 'public'
  const imports = [...Object.values(TYPES), isPublic ? 'pgTable' : 'pgSchema', 'primaryKey'].sort()
  const head = [
    ...HEADER,
    `import { relations } from 'drizzle-orm'`,
    `import { ${imports.join(', ')} } from 'drizzle-orm/pg-core'`,
    ...(isPublic ? [] : ['', `export const clerk = pgSchema(${JSON.stringify(schema)})`]),
  ]
  const create = isPublic ? 'pgTable' : 'clerk.table'
  const tables = TABLES.map((table) => toTable(table, create))
  return [head.join('\n'), ...tables, ...TABLES.flatMap(toRelations)].join('\n\n')
}

function toTable({ name, description, key, columns }: TableDefinition, create: string): string {
  const lines = columns.map((column) => `  ${toCamelCase(column.name)}: ${toColumn(column, key)},`)
  const extra =
    key.length === 1
      ? ''
      : `, (table) => [primaryKey({ columns: [${key.map((each) => `table.${toCamelCase(each)}`).join(', ')}] })]`
  return `/** ${description} */\nexport const ${toCamelCase(name)} = ${create}('${name}', {\n${lines.join('\n')}\n}${extra})`
}

function toRelations({ name }: TableDefinition): string[] {
  const out = RELATIONS.filter(({ table }) => table === name).map(toOne)
  const back = RELATIONS.filter(({ target }) => target === name).map(toMany)
  if (out.length + back.length === 0) return []
  const used = [...(out.length > 0 ? ['one'] : []), ...(back.length > 0 ? ['many'] : [])].join(', ')
  const table = toCamelCase(name)
  const lines = [...out, ...back].map((line) => `  ${line},`).join('\n')
  return [`export const ${table}Relations = relations(${table}, ({ ${used} }) => ({\n${lines}\n}))`]
}

function toOne(relation: RelationDefinition): string {
  const { table, column, target } = relation
  const [from, to] = [toCamelCase(table), toCamelCase(target)]
  const fields = `fields: [${from}.${toCamelCase(column)}], references: [${to}.id]`
  return `${toOneField(relation)}: one(${to}, { ${fields}, relationName: '${table}_${column}' })`
}

function toMany(relation: RelationDefinition): string {
  const { table, column } = relation
  return `${toManyField(relation)}: many(${toCamelCase(table)}, { relationName: '${table}_${column}' })`
}

function toColumn({ name, type, isNullable, hasDefault }: ColumnDefinition, key: readonly string[]): string {
  const options = OPTIONS[type] ?? ''
  const isOnlyKey = key.length === 1 && key[0] === name
  return [
    `${TYPES[type]}('${name}'${options})`,
    ...(isNullable || isOnlyKey ? [] : ['.notNull()']),
    ...(isOnlyKey ? ['.primaryKey()'] : []),
    ...(hasDefault ? ['.defaultNow()'] : []),
  ].join('')
}
