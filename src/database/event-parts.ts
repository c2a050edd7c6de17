/** What of an event has a table of its own, partitioned by time, because it is forgotten: its body, and what it changed. */

import type { QueryExecutorProvider } from 'kysely'
import { qualify } from './identifier.ts'
import { query, type Statement } from './query.ts'
import type { Change } from './tables.ts'

/** The tables, and the column that each is for. */
export const EVENT_PARTS = { event_bodies: 'body', event_changes: 'changes' } as const

export type EventPart = keyof typeof EVENT_PARTS

export interface PartValues {
  event_bodies: Buffer
  event_changes: Record<string, Change>
}

/** Which event; its time names the partition. */
export interface EventPosition {
  readonly id: string
  readonly received_at: Date
}

/** By the event's id. Events without the part, or whose part was forgotten, are left out. */
export async function readParts<Part extends EventPart>(
  executor: QueryExecutorProvider,
  schema: string,
  part: Part,
  events: readonly EventPosition[],
): Promise<Map<string, PartValues[Part]>> {
  if (events.length === 0) return new Map()
  const { text, parameters } = partsStatement(schema, part, events)
  return toParts(await query<PartRow<Part>>(executor, text, parameters))
}

export interface PartRow<Part extends EventPart> {
  readonly event_id: string
  readonly value: PartValues[Part]
}

export function toParts<Part extends EventPart>(
  rows: readonly PartRow<Part>[],
): Map<string, PartValues[Part]> {
  return new Map(rows.map(({ event_id, value }) => [event_id, value]))
}

/** The range of the times is there for the planner: it leaves out every other partition, and does not wait for its locks. */
export function partsStatement(schema: string, part: EventPart, events: readonly EventPosition[]): Statement {
  const times = events.map(({ received_at }) => received_at.getTime())
  return {
    text: `
      select asked.id as event_id, part.value
      from unnest($1::text[], $2::text[]::timestamptz[]) as asked(id, received_at)
      cross join lateral (
        select ${EVENT_PARTS[part]} as value from ${qualify(schema, part)}
        where event_id = asked.id and filed_at in (asked.received_at, 'infinity')
          and (filed_at between $3::timestamptz and $4::timestamptz or filed_at = 'infinity')
        limit 1
      ) as part`,
    parameters: [
      events.map(({ id }) => id),
      times.map(toIso),
      toIso(Math.min(...times)),
      toIso(Math.max(...times)),
    ],
  }
}

/** When the parts of events that were received then were forgotten; null if nobody has written it down. */
export async function forgottenAt(
  executor: QueryExecutorProvider,
  schema: string,
  part: EventPart,
  receivedAt: Date,
): Promise<Date | null> {
  const [row] = await query<{ at: Date | null }>(
    executor,
    `select min(forgotten_at) as at from ${qualify(schema, 'retention_log')}
     where part = $1 and received_before > $2`,
    [part, receivedAt.toISOString()],
  )
  return row?.at ?? null
}

function toIso(time: number): string {
  return new Date(time).toISOString()
}
