/** Ends what ended by itself: Clerk sends no event when the time of a session or an invitation is over. */

import type { Kysely } from 'kysely'
import type { Expiry, Resource } from '../clerk/resource.ts'
import { available } from '../database/failure.ts'
import { qualify, quoteIdentifier } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

/** How many rows one transaction holds: a delivery may wait for them. */
const BATCH_SIZE = 1_000

/** Sets the status of those whose time is over, and returns how many they are. */
export async function expire(
  database: Kysely<ClerkTables>,
  schema: string,
  resources: readonly Resource[],
  jobId: string,
  now: Date,
): Promise<number> {
  let expired = 0
  for (const { table, expiry } of resources) {
    if (!expiry) continue
    const text = expireSome(qualify(schema, table), expiry)
    let batch = 0
    do {
      batch = (await available(query(database, text, [now, jobId]))).length
      expired += batch
    } while (batch === BATCH_SIZE)
  }
  return expired
}

/** A row that a delivery holds is skipped: what it writes is newer, or the next reconcile ends it. */
function expireSome(table: string, { open, ends }: Expiry): string {
  const cases = Object.entries(ends).map(
    ([column, status]) => `when ${quoteIdentifier(column)} <= $1::timestamptz then '${status}'`,
  )
  // As in the index, whose condition must be in the text.
  const end = `least(${Object.keys(ends).map(quoteIdentifier).join(', ')})`
  const statuses = open.map((status) => `'${status}'`).join(', ')
  return `
    with over as (
      select id from ${table}
      where deleted_at is null and status in (${statuses}) and ${end} <= $1::timestamptz
      limit ${BATCH_SIZE} for update skip locked
    )
    update ${table} as row
    set synced_at = now(), event_id = $2, status = case ${cases.join(' ')} end
    from over where row.id = over.id returning row.id`
}
