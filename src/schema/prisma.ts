/** The tables for Prisma: models to add to a schema of one's own. https://www.prisma.io/docs/orm/prisma-schema */

import {
  type ColumnDefinition,
  RELATIONS,
  type SqlType,
  TABLES,
  type TableDefinition,
  toCamelCase,
  toManyField,
  toModelName,
  toOneField,
  WORKING_TABLES,
} from './definitions.ts'

const TYPES: Readonly<Record<SqlType, string>> = {
  text: 'String',
  boolean: 'Boolean',
  integer: 'Int',
  bigint: 'BigInt',
  timestamptz: 'DateTime',
  jsonb: 'Json',
  json: 'Json',
}

/** Where Prisma would otherwise take another type of Postgres than the column has. */
const NATIVE: Readonly<Partial<Record<SqlType, string>>> = {
  timestamptz: '@db.Timestamptz(6)',
  json: '@db.Json',
}

/** Among the models of an app there usually is a `User` already. */
const PREFIX = 'Clerk'

export function toPrisma(schema: string): string {
  // Of a table that is not named here, Prisma plans to drop it.
  const names = [...TABLES.map(({ name }) => name), ...WORKING_TABLES]
  const external = names.map((name) => `'${schema}.${name}'`).join(', ')
  const head = `// Made by: clerk-sync schema --prisma > prisma/clerk.prisma
// Keep it in a file of its own beside your schema, and run the command again after an upgrade: it replaces the file.
//
// In the datasource of your schema:
//   schemas = ["public", ${JSON.stringify(schema)}]
// In prisma.config.ts, so that Prisma reads the whole folder and leaves these tables to clerk-sync:
//   schema: 'prisma',
//   experimental: { externalTables: true },
//   tables: { external: [${external}] },`
  return [head, ...TABLES.map((table) => toModel(table, schema))].join('\n\n')
}

function toModel({ name, description, key, columns }: TableDefinition, schema: string): string {
  const lines = [
    ...columns.map((column) => toField(column, key)),
    ...relationsOf(name),
    ...(key.length > 1 ? [`@@id([${key.map(toCamelCase).join(', ')}])`] : []),
    `@@map("${name}")`,
    `@@schema(${JSON.stringify(schema)})`,
  ]
  return `/// ${description}\nmodel ${PREFIX}${toModelName(name)} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`
}

function relationsOf(table: string): string[] {
  const named = ({ table, column }: { table: string; column: string }) => `${table}_${column}`
  const out = RELATIONS.filter((relation) => relation.table === table).map((relation) => {
    const isRequired = TABLES.find(({ name }) => name === table)?.key.includes(relation.column)
    const type = `${PREFIX}${toModelName(relation.target)}${isRequired ? '' : '?'}`
    const fields = `fields: [${toCamelCase(relation.column)}], references: [id]`
    return `${toOneField(relation)} ${type} @relation("${named(relation)}", ${fields})`
  })
  const back = RELATIONS.filter(({ target }) => target === table).map(
    (relation) =>
      `${toManyField(relation)} ${PREFIX}${toModelName(relation.table)}[] @relation("${named(relation)}")`,
  )
  return [...out, ...back]
}

function toField({ name, type, isNullable, hasDefault }: ColumnDefinition, key: readonly string[]): string {
  const field = toCamelCase(name)
  return [
    field,
    `${TYPES[type]}${isNullable ? '?' : ''}`,
    ...(key.length === 1 && key[0] === name ? ['@id'] : []),
    ...(hasDefault ? ['@default(now())'] : []),
    ...(field === name ? [] : [`@map("${name}")`]),
    ...(NATIVE[type] ? [NATIVE[type]] : []),
  ].join(' ')
}
