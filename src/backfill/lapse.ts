/** Ends what ended by itself: Clerk sends no event when a session's time is over. */

import type { Kysely } from 'kysely'
import type { Resource } from '../clerk/resource.ts'
import { available } from '../database/failure.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

/** Sets the status of those whose time is over, and returns how many they are. */
export async function endLapsed(
  database: Kysely<ClerkTables>,
  schema: string,
  resources: readonly Resource[],
  jobId: string,
  now: Date,
): Promise<number> {
  let ended = 0
  for (const { table, lapse } of resources) {
    if (!lapse) continue
    const ends = Object.entries(lapse.ends)
    const isOver = (column: string) => `${quoteIdentifier(column)} <= $1::timestamptz`
    const text = `
      update ${qualify(schema, table)} set synced_at = now(), event_id = $2,
        status = case ${ends.map(([column, status]) => `when ${isOver(column)} then '${status}'`).join(' ')} end
      where deleted_at is null and status = any($3::text[])
        and (${ends.map(([column]) => isOver(column)).join(' or ')})
      returning id`
    ended += (await available(query(database, text, [now, jobId, lapse.open]))).length
  }
  return ended
}
