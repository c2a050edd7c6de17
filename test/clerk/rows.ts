/** Reads what a sync stored. */

import { sql } from 'kysely'
import type { ClerkSync, ClerkTables } from '../../src/index.ts'

type Row = Record<string, unknown>

/** A row by its id, as the database gives it. */
export async function findRow(
  sync: ClerkSync,
  table: keyof ClerkTables,
  id: string,
): Promise<Row | undefined> {
  const { rows } =
    await sql<Row>`select * from ${sql.id(sync.location.schema, table)} where id = ${id}`.execute(
      sync.database,
    )
  return rows[0]
}

/** The exact text of a resource's `raw`. */
export async function findRawText(sync: ClerkSync, table: keyof ClerkTables, id: string): Promise<string> {
  const { rows } = await sql<{ raw: string }>`
    select raw::text as raw from ${sql.id(sync.location.schema, table)} where id = ${id}`.execute(
    sync.database,
  )
  return rows[0]?.raw ?? ''
}

/** Where a text is at rest: every `table.column` that holds it, in every table of the schema. */
export async function placesOf(sync: ClerkSync, text: string): Promise<string[]> {
  const { schema } = sync.location
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = ${schema}`.execute(
    sync.database,
  )
  const places = new Set<string>()
  for (const { name } of tables.rows) {
    const { rows } = await sql<Row>`select * from ${sql.id(schema, name)}`.execute(sync.database)
    for (const [column, value] of rows.flatMap((row) => Object.entries(row))) {
      if (toText(value).includes(text)) places.add(`${name}.${column}`)
    }
  }
  return [...places]
}

function toText(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
