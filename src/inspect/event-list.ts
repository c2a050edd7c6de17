/**
 * Lists of events, newest first, fast at millions: each filter is led by the index that finds its rows in the list's
 * order, and the rest is checked on the way. What no index leads to is cut off by the time limit of a reading.
 */

import { type RawBuilder, sql } from 'kysely'
import {
  all,
  type Condition,
  type EventFilter,
  eventConditions,
  FAILING,
  knownTypes,
  literal,
  runConditions,
} from '../database/filter.ts'
import { REASONS, type Reason } from '../explanations/reasons.ts'
import { after, type PageRequest, type Position, readCursor, toPage } from './cursor.ts'
import type { EventItem, EventOrigin, EventOutcome, PageOf, Quantity, RunState } from './model.ts'
import { COUNT_LIMIT, counted } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'
import { findSubjects } from './subjects.ts'

/** Which events a list shows. */
export interface ListFilter extends EventFilter {
  readonly source?: EventOrigin | undefined
  /** Events with a run of this handler, in this state. */
  readonly handler?: string | undefined
  readonly run?: RunState | 'failing' | undefined
}

export async function listEventItems(
  reading: Reading,
  filter: ListFilter,
  { limit, cursor }: PageRequest,
  isMasked: boolean,
): Promise<PageOf<EventItem>> {
  const position = readCursor(cursor, ['time', 'id'])
  const { events, order } = selection(reading, filter, { position, most: limit + 1 })
  const rows = await reading.run(sql<PositionRow>`${events} order by ${order} limit ${limit + 1}`)
  const items = await readItems(
    reading,
    rows.slice(0, limit).map(({ id }) => id),
    isMasked,
  )
  return toPage(rows, limit, items, (row) => [row.position, row.id])
}

/** Counts to 10,000 and no further. */
export async function countEventItems(reading: Reading, filter: ListFilter): Promise<Quantity> {
  const meant = eventsMeant(reading, filter, COUNT_LIMIT + 1)
  const [row] = await reading.run(
    sql<{ count: number }>`select count(*)::integer as count from (${meant}) as found`,
  )
  return counted(row?.count ?? 0)
}

/** Selects the events that a filter means, with the time of each as `at`. */
export function eventsMeant(reading: Reading, filter: ListFilter, most: number): RawBuilder<unknown> {
  const { events } = selection(reading, filter, { position: undefined, most })
  return sql`select position::timestamptz as at from (${events} limit ${sql.lit(most)}) as event`
}

interface PositionRow {
  readonly id: string
  readonly position: string
}

/** Where to start, and how many are needed. */
interface Extent {
  readonly position: Position | undefined
  readonly most: number
}

interface Selection {
  /** Selects `id` and `position`. */
  readonly events: RawBuilder<unknown>
  readonly order: RawBuilder<unknown>
}

const BY_RECEIPT = sql`received_at desc, id desc`

function selection(reading: Reading, filter: ListFilter, extent: Extent): Selection {
  const { position, most } = extent
  if (filter.handler !== undefined || filter.run !== undefined) {
    return selectionByRuns(reading, filter, position)
  }
  const { ids, resourceIds } = filter
  const types = ids || resourceIds || isRareOutcome(filter) ? undefined : knownTypes(filter)
  const where = [...listConditions(filter), ...after(sql`(event.received_at, event.id)`, position)]
  const columns = sql`event.id, event.received_at, event.received_at::text as position`
  const source = sql`${sql.id(reading.schema, 'events')} as event`
  if (types === undefined)
    return { events: sql`select ${columns} from ${source} where ${all(where)}`, order: BY_RECEIPT }
  // Each type has its newest by the index; the newest of all are among those.
  return {
    events: sql`
      select newest.* from unnest(${types}::text[]) as wanted(type) cross join lateral (
        select ${columns} from ${source} where ${all([sql`event.type = wanted.type`, ...where])}
        order by event.received_at desc, event.id desc limit ${sql.lit(most)}
      ) as newest`,
    order: BY_RECEIPT,
  }
}

/**
 * Runs come into being with their events, so that their order is the events'. The events are looked up run by run, and only
 * if something is asked of them: joined, Postgres would read all of both for the newest fifty.
 */
function selectionByRuns(reading: Reading, filter: ListFilter, position: Position | undefined): Selection {
  const { handler, run, since, until } = filter
  const ofEvent = listConditions({ ...filter, since: undefined, until: undefined })
  const event = sql`cross join lateral (
    select from ${sql.id(reading.schema, 'events')} as event
    where ${all([sql`event.id = run.event_id`, ...ofEvent])} limit 1
  ) as event`
  const runs = {
    handlers: handler === undefined ? undefined : [handler],
    statuses: run === 'failing' ? FAILING : run && [run],
    since,
    until,
  }
  const where = [
    ...runConditions(runs, reading.schema),
    ...after(sql`(run.created_at, run.event_id)`, position),
  ]
  return {
    events: sql`
      select ${handler === undefined ? sql`distinct on (run.created_at, run.event_id)` : sql``}
        run.event_id as id, run.created_at::text as position
      from ${sql.id(reading.schema, 'handler_runs')} as run ${ofEvent.length > 0 ? event : sql``}
      where ${all(where)}`,
    order: sql`run.created_at desc, run.event_id desc`,
  }
}

/** Its types are the known ones, so that the index of types leads to them. */
function listConditions(filter: ListFilter): Condition[] {
  const { source } = filter
  const ofEvent = eventConditions({ ...filter, types: knownTypes(filter), resources: undefined })
  return source ? [...ofEvent, sql`source = ${literal(source)}`] : ofEvent
}

/** Those that an index of its own holds. */
function isRareOutcome({ outcomes }: EventFilter): boolean {
  return outcomes !== undefined && !outcomes.includes('applied')
}

interface ItemRow {
  readonly id: string
  readonly type: string | null
  readonly resource: string | null
  readonly resource_id: string | null
  readonly received_at: Date
  readonly occurred_at: Date
  readonly source: EventOrigin
  readonly outcome: EventOutcome
  readonly reason: Reason | null
  readonly deliveries: number
}

interface RunsRow {
  readonly event_id: string
  readonly status: RunState
  readonly count: number
  readonly due_at: Date | null
}

/** The events with these ids, in their order. */
export async function readItems(
  reading: Reading,
  ids: readonly string[],
  isMasked: boolean,
): Promise<EventItem[]> {
  if (ids.length === 0) return []
  // The changes are counted here: Postgres refuses to look into JSON with half of an emoji in it, which Clerk may send.
  const rows = await reading.query<ItemRow>(
    `select id, type, resource, resource_id, received_at, occurred_at, source, outcome, reason, deliveries
     from ${reading.table('events')} where id = any($1::text[])`,
    [ids],
  )
  const changes = await reading.parts('event_changes', rows)
  const changedFields = (id: string) => Object.keys(changes.get(id) ?? {}).length
  const runs = Map.groupBy(await runsOf(reading, ids), (row) => row.event_id)
  const subjectOf = await findSubjects(reading, rows, isMasked)
  const items = new Map(
    rows.map((row) => {
      const item = toItem(row, runs.get(row.id) ?? [], changedFields(row.id))
      return [row.id, { ...item, subject: subjectOf(row) }]
    }),
  )
  return ids.flatMap((id) => items.get(id) ?? [])
}

function runsOf(reading: Reading, ids: readonly string[]): Promise<RunsRow[]> {
  return reading.query(
    `select event_id, status, count(*)::integer as count,
       min(due_at) filter (where status in ('pending', 'retrying')) as due_at
     from ${reading.table('handler_runs')} where event_id = any($1::text[]) group by event_id, status`,
    [ids],
  )
}

function toItem(row: ItemRow, runs: readonly RunsRow[], changedFields: number): Omit<EventItem, 'subject'> {
  const due = runs.flatMap(({ due_at }) => due_at ?? []).sort((a, b) => a.getTime() - b.getTime())
  return {
    id: row.id,
    type: row.type,
    receivedAt: toTime(row.received_at),
    occurredAt: toTime(row.occurred_at),
    source: row.source,
    outcome: row.outcome,
    reason: row.reason && { code: row.reason, text: REASONS[row.reason]?.label ?? row.reason },
    deliveries: row.deliveries,
    changedFields,
    runs: Object.fromEntries(runs.map(({ status, count }) => [status, count])),
    nextTryAt: toTime(due[0] ?? null),
  }
}
