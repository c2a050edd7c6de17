/**
 * Lists of events, newest first, fast at millions: each filter is led by the index that finds its rows in the list's
 * order, and the rest is checked on the way. What no index leads to is cut off by the time limit of a reading.
 */

import { EVENT_TYPES, RESOURCES } from '../clerk/catalogue.ts'
import { REASONS, type Reason } from '../explanations/reasons.ts'
import { type PageRequest, type Position, readCursor, toPage } from './cursor.ts'
import type { EventItem, EventOrigin, EventOutcome, PageOf, Quantity, RunState, Time } from './model.ts'
import { COUNT_LIMIT, countUpTo } from './quantity.ts'
import { literal, Parameters, type Reading, toTime } from './reading.ts'
import { findSubjects } from './subjects.ts'

/** Which events. All conditions must hold. */
export interface EventConditions {
  readonly id?: readonly string[] | undefined
  readonly outcome?: readonly EventOutcome[] | undefined
  /** `user.created`, or `user.*`. */
  readonly type?: readonly string[] | undefined
  readonly resource?: readonly string[] | undefined
  readonly resourceId?: string | undefined
  readonly source?: EventOrigin | undefined
  /** Events with a run of this handler, in this state. */
  readonly handler?: string | undefined
  readonly run?: RunState | 'failing' | undefined
  readonly since?: Time | undefined
  readonly until?: Time | undefined
}

export async function listEventItems(
  reading: Reading,
  conditions: EventConditions,
  { limit, cursor }: PageRequest,
  isMasked: boolean,
): Promise<PageOf<EventItem>> {
  const position = readCursor(cursor, ['time', 'id'])
  const parameters = new Parameters()
  const { text, order } = selection(reading, conditions, parameters, { position, most: limit + 1 })
  const rows = await reading.query<PositionRow>(
    `${text} order by ${order} limit ${parameters.add(limit + 1)}`,
    parameters.values,
  )
  const items = await readItems(
    reading,
    rows.slice(0, limit).map(({ id }) => id),
    isMasked,
  )
  return toPage(rows, limit, items, (row) => [row.position, row.id])
}

/** Counts to 10,000 and no further. */
export function countEventItems(reading: Reading, conditions: EventConditions): Promise<Quantity> {
  const parameters = new Parameters()
  const { text } = selection(reading, conditions, parameters, { position: undefined, most: COUNT_LIMIT + 1 })
  return countUpTo(reading, text, parameters.values)
}

/** The statement that finds the events which conditions mean, with the time of each as `at`. */
export function eventsMeant(reading: Reading, conditions: EventConditions, most: number) {
  const parameters = new Parameters()
  const { text } = selection(reading, conditions, parameters, { position: undefined, most })
  return {
    text: `select position::timestamptz as at from (${text} limit ${most}) as event`,
    values: parameters.values,
  }
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
  readonly text: string
  readonly order: string
}

const BY_RECEIPT = 'received_at desc, id desc'

function selection(
  reading: Reading,
  conditions: EventConditions,
  parameters: Parameters,
  { position, most }: Extent,
): Selection {
  if (conditions.handler !== undefined || conditions.run !== undefined) {
    return selectionByRuns(reading, conditions, parameters, position)
  }
  const types =
    conditions.id || conditions.resourceId || isRareOutcome(conditions) ? null : typesOf(conditions)
  const where = [
    ...eventConditions(conditions, parameters),
    ...after(BY_RECEIPT_COLUMNS, position, parameters),
  ]
  const columns = 'event.id, event.received_at, event.received_at::text as position'
  const events = `${reading.table('events')} as event`
  if (types === null)
    return { text: `select ${columns} from ${events} ${whereAll(where)}`, order: BY_RECEIPT }
  // Each type has its newest by the index; the newest of all are among those.
  const list = parameters.add(types)
  return {
    text: `
      select newest.* from unnest(${list}::text[]) as wanted(type) cross join lateral (
        select ${columns} from ${events} ${whereAll(['event.type = wanted.type', ...where])}
        order by event.received_at desc, event.id desc limit ${most}
      ) as newest`,
    order: BY_RECEIPT,
  }
}

const BY_RECEIPT_COLUMNS = '(event.received_at, event.id)'
const BY_RUN_COLUMNS = '(run.created_at, run.event_id)'

/**
 * Runs come into being with their events, so that their order is the events'. The events are looked up run by run, and only
 * if something is asked of them: joined, Postgres would read all of both for the newest fifty.
 */
function selectionByRuns(
  reading: Reading,
  conditions: EventConditions,
  parameters: Parameters,
  position: Position | undefined,
): Selection {
  const { handler, run } = conditions
  const states = run === 'failing' ? ['retrying', 'dead'] : run && [run]
  const ofEvent = eventConditions({ ...conditions, since: undefined, until: undefined }, parameters)
  const events = ofEvent.some(Boolean)
    ? `cross join lateral (
        select from ${reading.table('events')} as event ${whereAll(['event.id = run.event_id', ...ofEvent])} limit 1
      ) as event`
    : ''
  const where = [
    handler !== undefined && `run.handler = ${parameters.add(handler)}`,
    // Written out, so that the planner sees that the index of failing runs holds them.
    states && `run.status in (${states.map(literal)})`,
    (run === 'failing' || run === 'dead' || run === 'retrying') && 'run.fingerprint is not null',
    conditions.since && `run.created_at >= ${parameters.add(conditions.since)}`,
    conditions.until && `run.created_at < ${parameters.add(conditions.until)}`,
    ...after(BY_RUN_COLUMNS, position, parameters),
  ]
  return {
    text: `
      select ${handler === undefined ? 'distinct on (run.created_at, run.event_id)' : ''}
        run.event_id as id, run.created_at::text as position
      from ${reading.table('handler_runs')} as run ${events} ${whereAll(where)}`,
    order: 'run.created_at desc, run.event_id desc',
  }
}

function eventConditions(
  conditions: EventConditions,
  parameters: Parameters,
): (string | false | undefined | null)[] {
  const { id, outcome, resourceId, source, since, until } = conditions
  const types = typesOf(conditions)
  return [
    id && `event.id = any(${parameters.add(id)}::text[])`,
    outcome && `event.outcome in (${outcome.map(literal)})`,
    types && `event.type = any(${parameters.add(types)}::text[])`,
    resourceId !== undefined && `event.resource_id = ${parameters.add(resourceId)}`,
    source && `event.source = ${literal(source)}`,
    since && `event.received_at >= ${parameters.add(since)}`,
    until && `event.received_at < ${parameters.add(until)}`,
  ]
}

function after(columns: string, position: Position | undefined, parameters: Parameters): string[] {
  if (position === undefined) return []
  const [time, id] = position
  return [`${columns} < (${parameters.add(time)}::timestamptz, ${parameters.add(id)})`]
}

function whereAll(conditions: readonly (string | false | undefined | null)[]): string {
  const held = conditions.filter(Boolean)
  return held.length === 0 ? '' : `where ${held.join(' and ')}`
}

/** Those that an index of its own holds. */
function isRareOutcome({ outcome }: EventConditions): boolean {
  return outcome !== undefined && !outcome.includes('applied')
}

/** The types that the conditions on types and resources leave; null: any. */
export function typesOf({ type, resource }: EventConditions): readonly string[] | null {
  const ofResources =
    resource && new Set(resource.flatMap((name) => Object.keys(RESOURCES.get(name)?.events ?? {})))
  const wanted = type?.flatMap((pattern) =>
    pattern.endsWith('*') ? EVENT_TYPES.filter((known) => known.startsWith(pattern.slice(0, -1))) : [pattern],
  )
  if (!wanted) return ofResources ? [...ofResources] : null
  return [...new Set(wanted)].filter((name) => !ofResources || ofResources.has(name))
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
