/** Resources of which a deletion left no row. */

import { type Kysely, type Selectable, sql } from 'kysely'
import type { ClerkTables, TombstonesTable } from './tables.ts'

/** The tombstones among these ids. */
export async function findTombstones(
  database: Kysely<ClerkTables>,
  resource: string,
  ids: readonly string[],
): Promise<Selectable<TombstonesTable>[]> {
  if (ids.length === 0) return []
  return database
    .selectFrom('tombstones')
    .selectAll()
    .where('resource', '=', resource)
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute()
}
