/** When a resource was read last: what that makes unnecessary, and what it makes suspicious. */

import type { Kysely } from 'kysely'
import { available } from '../database/failure.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

/** A change that does not move `updated_at`, such as an edit by hand, is found within this many hours. */
const FULL_EVERY_HOURS = 24
/** What Clerk shows in a list may be a little behind. */
const MARGIN_MS = 60_000

/** $1 resource, $2 Clerk instance: what was read of another says nothing. */
const COMPLETE = `progress->$1->>'status' = 'complete' and scope->>'dryRun' = 'false'
  and (scope->>'instanceId' is null or $2::text is null or scope->>'instanceId' = $2)`

/** Whether everything that Clerk lists of a resource was read once. */
export async function wasRead(
  database: Kysely<ClerkTables>,
  schema: string,
  table: string,
  instanceId: string | null,
): Promise<boolean> {
  const text = `select 1 from ${qualify(schema, 'jobs')} where ${COMPLETE} limit 1`
  return (await available(query(database, text, [table, instanceId]))).length > 0
}

/** Since when the rows of a resource may have changed unseen; null if all must be looked at. */
export async function unseenSince(
  database: Kysely<ClerkTables>,
  schema: string,
  table: string,
  instanceId: string | null,
): Promise<Date | null> {
  const text = `
    select max((progress->$1->>'startedAt')::timestamptz) as latest,
      bool_or((progress->$1->>'isFull')::boolean
        and created_at > now() - interval '${FULL_EVERY_HOURS} hours') as is_recent
    from ${qualify(schema, 'jobs')}
    where ${COMPLETE}`
  const [row] = await available(
    query<{ latest: Date | null; is_recent: boolean }>(database, text, [table, instanceId]),
  )
  return row?.latest && row.is_recent ? new Date(row.latest.getTime() - MARGIN_MS) : null
}

/** Notes that a resource was read: an event from before that which makes a row from now on shows what Clerk may have deleted. */
export async function noteSweep(
  database: Kysely<ClerkTables>,
  schema: string,
  table: string,
  instanceId: string | null,
  startedAt: string,
): Promise<void> {
  const text = `
    insert into ${qualify(schema, 'sweep_starts')} as noted (resource, instance_id, started_at) values ($1, $2, $3)
    on conflict (resource, instance_id) do update
    set started_at = greatest(noted.started_at, excluded.started_at)`
  await available(query(database, text, [table, instanceId ?? '', startedAt]))
}
