/**
 * Whether handlers were told of something already: by an event of Clerk's, or by one that stands for an event that did
 * not come. Either may be the first, and the other must not tell it again.
 */

import type { Transaction } from 'kysely'
import { toDate } from '../clerk/event.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables, EventSource } from '../database/tables.ts'
import type { FollowUp, RecordedEvent } from './follow-up.ts'
import type { Observation } from './observation.ts'
import { synthesize } from './synthetic.ts'

/** Which events stand for what the Backend API showed. */
export interface Telling {
  readonly source: Exclude<EventSource, 'webhook'>
  /** The type of the event for an observation, if there is one. */
  typeOf(observation: Observation): string | undefined
}

/** It happens once to a resource, whatever else does. */
function happensOnce(type: string): boolean {
  return type.endsWith('.created') || type.endsWith('.deleted')
}

/** Makes events of observations that were applied and that no event told of. */
export async function tell(
  trx: Transaction<ClerkTables>,
  schema: string,
  applied: readonly Observation[],
  { source, typeOf }: Telling,
  followUp: FollowUp,
): Promise<void> {
  const wanted = Map.groupBy(applied, (observation) => {
    const type = typeOf(observation)
    return type !== undefined && followUp.wants(type) ? type : ''
  })
  wanted.delete('')
  for (const [type, observations] of wanted) {
    const ids = await untold(trx, schema, type, observations)
    const { table: resource } = (observations[0] as Observation).resource
    await followUp.recorded(trx, await synthesize(trx, schema, { resource, ids, type, source }))
  }
}

/** The ids of those that no event of Clerk's told of. What is parked has told nobody. */
async function untold(
  trx: Transaction<ClerkTables>,
  schema: string,
  type: string,
  observations: readonly Observation[],
): Promise<string[]> {
  const since = observations.map(({ state }) =>
    happensOnce(type) ? new Date(0) : (state?.updatedAt ?? new Date(0)),
  )
  const rows = await query<{ id: string }>(
    trx,
    `select shown.id from unnest($1::text[], $2::timestamptz[]) as shown(id, since)
    where not exists (
      select from ${qualify(schema, 'events')} as event
      where event.resource_id = shown.id and event.type = $3 and event.occurred_at >= shown.since
        and event.outcome <> 'parked'
    )`,
    [observations.map(({ id }) => id), since.map((time) => time.toISOString()), type],
  )
  return rows.map(({ id }) => id)
}

/** An event of Clerk's, with the clock of what it is about. */
export interface LateEvent extends RecordedEvent {
  readonly updatedAt: unknown
}

/** Those events of Clerk's that no event stood for before they came. */
export async function withoutTold(
  trx: Transaction<ClerkTables>,
  schema: string,
  events: readonly LateEvent[],
  followUp: FollowUp,
): Promise<LateEvent[]> {
  const ids = events.filter(({ type }) => followUp.wants(type)).map(({ resourceId }) => resourceId)
  if (ids.length === 0) return [...events]
  const told = await query<{ resource_id: string; type: string; occurred_at: Date }>(
    trx,
    `select resource_id, type, occurred_at from ${qualify(schema, 'events')}
    where resource_id = any($1::text[]) and source in ('backfill', 'reconcile')`,
    [ids],
  )
  return events.filter(
    ({ resourceId, type, updatedAt }) =>
      !told.some(
        (each) =>
          each.resource_id === resourceId &&
          each.type === type &&
          (happensOnce(type) || each.occurred_at.getTime() === toDate(updatedAt)?.getTime()),
      ),
  )
}
