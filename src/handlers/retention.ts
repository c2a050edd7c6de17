/** When finished runs are forgotten. Dead ones stay until somebody retries or discards them. */

import type { Database } from '../database/database.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'

/** Longer than anybody looks into what a handler did, and long enough for `handlers.run` not to run it again by accident. */
const KEPT_DAYS = 90
/** A transaction this small holds up nobody. */
const BATCH = 1_000
/** The rest is left to the next maintenance. */
const MAX_BATCHES = 200

/** @returns how many were removed */
export async function removeFinishedRuns(
  { queries, schema }: Pick<Database, 'queries' | 'schema'>,
  keptDays = KEPT_DAYS,
): Promise<number> {
  const statement = removal(qualify(schema, 'handler_runs'))
  let removed = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const gone = await query(queries, statement, [keptDays, BATCH])
    removed += gone.length
    if (gone.length < BATCH) break
  }
  return removed
}

/**
 * From handler to handler along the index over (handler, created_at), of each no more than a batch. Every run is finished
 * after it was created, so that those created since need no look.
 */
function removal(runs: string): string {
  return `
    with recursive handlers(name) as (
      (select min(handler) from ${runs})
      union all
      select (select min(handler) from ${runs} where handler > handlers.name) from handlers where name is not null
    ), finished as (
      select old.event_id, old.handler from handlers cross join lateral (
        select run.event_id, run.handler from ${runs} as run
        where run.handler = handlers.name and run.created_at < now() - $1 * interval '1 day'
          and run.status in ('succeeded', 'discarded') and run.finished_at < now() - $1 * interval '1 day'
        order by run.created_at limit $2
      ) as old limit $2
    )
    delete from ${runs} as run using finished
    where run.event_id = finished.event_id and run.handler = finished.handler
      and run.status in ('succeeded', 'discarded')
    returning run.event_id`
}
