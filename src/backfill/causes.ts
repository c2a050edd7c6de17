/** Why rows differ from Clerk, as far as the ledger can tell. */

import type { Kysely } from 'kysely'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Drift } from './compare.ts'
import type { Cause } from './progress.ts'

interface EventsOfRow {
  readonly id: string
  /** An event was applied that is as new as Clerk's state. */
  readonly applied: boolean
  readonly failed: boolean
  readonly unapplied: boolean
}

/** A difference, and since when Clerk has had what the row does not show. */
export interface Symptom {
  readonly id: string
  readonly drift: Drift
  readonly since: Date
}

/** The causes, in the order of the symptoms. */
export async function findCauses(
  database: Kysely<ClerkTables>,
  schema: string,
  resource: string,
  symptoms: readonly Symptom[],
): Promise<Cause[]> {
  if (symptoms.length === 0) return []
  const rows = await query<EventsOfRow>(database, eventsOfRows(qualify(schema, 'events')), [
    resource,
    symptoms.map(({ id }) => id),
    symptoms.map(({ since }) => since.toISOString()),
  ])
  const byId = new Map(rows.map((row) => [row.id, row]))
  return symptoms.map(({ id, drift }) => causeOf(drift, byId.get(id)))
}

function causeOf({ kind }: Drift, events: EventsOfRow | undefined): Cause {
  if (kind === 'deleted_here') return events?.applied ? 'no_event' : 'edited'
  if (kind === 'edited' || events?.applied) return 'edited'
  if (events?.failed) return 'event_failed'
  return events?.unapplied ? 'event_not_applied' : 'no_event'
}

/** $1 resource, $2 ids, $3 since → what the events of each row since then came to */
function eventsOfRows(events: string): string {
  return `
    select symptom.id,
      bool_or(outcome in ('applied', 'stale')) as applied,
      bool_or(outcome = 'failed') as failed,
      bool_or(outcome in ('parked', 'ignored')) as unapplied
    from unnest($2::text[], $3::timestamptz[]) as symptom(id, since)
    join ${events} on resource_id = symptom.id and resource = $1 and occurred_at >= symptom.since
    group by symptom.id`
}
