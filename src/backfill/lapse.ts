/** Ends what ended by itself: Clerk sends no event when a session's time is over. */

import type { Kysely } from 'kysely'
import type { Lapse, Resource } from '../clerk/resource.ts'
import { available } from '../database/failure.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

/** How many rows one transaction holds: a delivery may wait for them. */
const BATCH_SIZE = 1_000

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
    const text = endSome(qualify(schema, table), lapse)
    let batch = 0
    do {
      batch = (await available(query(database, text, [now, jobId]))).length
      ended += batch
    } while (batch === BATCH_SIZE)
  }
  return ended
}

/** A row that a delivery holds is skipped: what it writes is newer, or the next reconcile ends it. */
function endSome(table: string, { open, ends }: Lapse): string {
  const cases = Object.entries(ends).map(
    ([column, status]) => `when ${quoteIdentifier(column)} <= $1::timestamptz then '${status}'`,
  )
  // As in the index, whose condition must be in the text.
  const end = `least(${Object.keys(ends).map(quoteIdentifier).join(', ')})`
  const statuses = open.map((status) => `'${status}'`).join(', ')
  return `
    with lapsed as (
      select id from ${table}
      where deleted_at is null and status in (${statuses}) and ${end} <= $1::timestamptz
      limit ${BATCH_SIZE} for update skip locked
    )
    update ${table} as row
    set synced_at = now(), event_id = $2, status = case ${cases.join(' ')} end
    from lapsed where row.id = lapsed.id returning row.id`
}
