/** The tables for Prisma: models to add to a schema of one's own. https://www.prisma.io/docs/orm/prisma-schema */

import { type ColumnDefinition, type SqlType, TABLES, type TableDefinition } from './definitions.ts'
import { toCamelCase, toModelName } from './names.ts'

const TYPES: Readonly<Record<SqlType, string>> = {
  text: 'String',
  boolean: 'Boolean',
  integer: 'Int',
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
  const head = `// In the datasource: schemas = ["public", ${JSON.stringify(schema)}]
// clerk-sync migrates these tables; keep Prisma from doing it as well: in prisma.config.ts list them as tables.external.`
  return [head, ...TABLES.map((table) => toModel(table, schema))].join('\n\n')
}

function toModel({ name, description, key, columns }: TableDefinition, schema: string): string {
  const lines = [
    ...columns.map((column) => toField(column, key)),
    ...(key.length > 1 ? [`@@id([${key.map(toCamelCase).join(', ')}])`] : []),
    `@@map("${name}")`,
    `@@schema(${JSON.stringify(schema)})`,
  ]
  return `/// ${description}\nmodel ${PREFIX}${toModelName(name)} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`
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
