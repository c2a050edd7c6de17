/** What people see of the ledger: lists, totals and single events. Read only. */

import { type Kysely, type Selectable, sql } from 'kysely'
import { AFTER_NOW } from '../database/clock.ts'
import { forgottenAt, readParts } from '../database/event-parts.ts'
import { toUnavailable } from '../database/failure.ts'
import { all, type EventFilter, eventConditions } from '../database/filter.ts'
import type { Change, ClerkTables, EventsTable, Outcome } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ReadSource } from './reading.ts'

const SUMMARY = [
  'id',
  'type',
  'resource',
  'resource_id',
  'instance_id',
  'occurred_at',
  'received_at',
  'outcome',
  'reason',
  'deliveries',
  'body_conflict',
  'replayed_at',
] as const

/** An event in a list. */
export interface EventSummary extends Pick<Selectable<EventsTable>, (typeof SUMMARY)[number]> {
  /** The fields that it changed; none if it created the row, or once they were forgotten. */
  readonly changed: readonly string[]
}

/** Everything that is known of an event, without the one-time codes and tickets that wait for its handlers. */
export interface EventDetails extends Omit<Selectable<EventsTable>, 'secret_body'> {
  /** Null once it was forgotten. */
  readonly body: Buffer | null
  /** When retention forgot the body; null if it is kept, or went in another way. */
  readonly body_forgotten_at: Date | null
  /** Null if it changed none or created the row, or once they were forgotten. */
  readonly changes: Record<string, Change> | null
}

/** One page of a list. */
export interface Page {
  readonly limit: number
  /** The id of the event that the page starts after, going back in time. */
  readonly before?: string | undefined
}

export const OUTCOMES = ['applied', 'stale', 'ignored', 'parked', 'failed'] as const satisfies Outcome[]

/** How many events a filter means, and by outcome. */
export interface EventTotals extends Readonly<Record<Outcome, number>> {
  readonly total: number
  /** When the first and the last of them were received; null if there are none. */
  readonly firstAt: Date | null
  readonly lastAt: Date | null
  /** When they were counted, by the database's clock. As `until` of a filter, it keeps later events out. */
  readonly countedAt: Date
}

/**
 * The events that a filter means, newest first.
 * @throws {ClerkSyncError} `event_not_found` for an unknown `before`, or `database_…`
 */
export async function listEvents(
  { database, schema }: ReadSource,
  filter: EventFilter,
  { limit, before }: Page,
): Promise<EventSummary[]> {
  let query = database.selectFrom('events').where(all(eventConditions(filter)))
  if (before !== undefined) {
    const { received_at, id } = await positionOf(database, before)
    query = query.where((where) =>
      where(where.refTuple('received_at', 'id'), '<', where.tuple(received_at, id)),
    )
  }
  const events = await query
    .select(SUMMARY)
    .orderBy('received_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
    .catch(refuse)
  const changes = await readParts(database, schema, 'event_changes', events).catch(refuse)
  return events.map((event) => ({ ...event, changed: Object.keys(changes.get(event.id) ?? {}) }))
}

/**
 * One event.
 * @throws {ClerkSyncError} `event_not_found` or `database_…`
 */
export async function getEvent({ database, schema }: ReadSource, id: string): Promise<EventDetails> {
  const found = await database
    .selectFrom('events')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
    .catch(refuse)
  if (found === undefined) throw new ClerkSyncError('event_not_found', id)
  const { secret_body: _, ...event } = found
  const bodies = await readParts(database, schema, 'event_bodies', [event]).catch(refuse)
  const changes = await readParts(database, schema, 'event_changes', [event]).catch(refuse)
  const body = bodies.get(id) ?? null
  const at = body
    ? null
    : await forgottenAt(database, schema, 'event_bodies', event.received_at).catch(refuse)
  return { ...event, body, body_forgotten_at: at, changes: changes.get(id) ?? null }
}

/**
 * Counts the events that a filter means.
 * @throws {ClerkSyncError} `database_…`
 */
export function countEvents(database: Kysely<ClerkTables>, filter: EventFilter): Promise<EventTotals> {
  const ofOutcome = (outcome: Outcome) =>
    sql<number>`(count(*) filter (where outcome = ${outcome}))::integer`.as(outcome)
  return database
    .selectFrom('events')
    .where(all(eventConditions(filter)))
    .select([
      sql<number>`count(*)::integer`.as('total'),
      ...OUTCOMES.map(ofOutcome),
      sql<Date | null>`min(received_at)`.as('firstAt'),
      sql<Date | null>`max(received_at)`.as('lastAt'),
      sql<Date>`${sql.raw(AFTER_NOW)}`.as('countedAt'),
    ])
    .executeTakeFirstOrThrow()
    .catch(refuse)
}

async function positionOf(database: Kysely<ClerkTables>, id: string) {
  const position = await database
    .selectFrom('events')
    .select(['received_at', 'id'])
    .where('id', '=', id)
    .executeTakeFirst()
    .catch(refuse)
  if (position === undefined) throw new ClerkSyncError('event_not_found', id)
  return position
}

function refuse(error: unknown): never {
  throw toUnavailable(error)
}
