/** Runs of handlers that fail, in groups that fail alike. */

import { sql } from 'kysely'
import { all, type RunFilter, runConditions } from '../database/filter.ts'
import { causeOf } from './cause.ts'
import { after, type PageRequest, readCursor, toPage } from './cursor.ts'
import { readItems } from './event-list.ts'
import { maskText } from './masking.ts'
import type { EventItem, FailureGroup, HandlerRun, PageOf, Quantity } from './model.ts'
import { addUp, atLeast, exactly } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'
import { RUN_COLUMNS, type RunRow, toRun } from './runs.ts'

/** More groups than this nobody works on; the worst come first. */
const MAX_GROUPS = 100
/** Runs that are counted of one group, the newest: each is a row to read. */
const GROUP_LIMIT = 1_000

interface GroupRow {
  readonly handler: string
  readonly fingerprint: string | null
  readonly retrying: number
  readonly dead: number
  readonly first_at: Date
  readonly last_at: Date
  readonly error: string | null
  readonly sample: string
  readonly paused_at: Date | null
  readonly muted_until: Date | null
  readonly release: string | null
  readonly hours: readonly { readonly hours_ago: number; readonly count: number }[] | null
}

/** With the condition of the index, so that it is used. */
const FAILING = `fingerprint is not null and status in ('retrying', 'dead')`

/** The groups, those with the newest failures first. */
export async function readFailureGroups(reading: Reading, isMasked: boolean): Promise<FailureGroup[]> {
  const rows = await reading.query<GroupRow>(groupsStatement(reading), [GROUP_LIMIT + 1, MAX_GROUPS])
  return rows.map((row) => toGroup(row, isMasked))
}

/** Those that nobody has muted. */
export async function readOpenFailureGroups(reading: Reading, isMasked: boolean): Promise<FailureGroup[]> {
  const statement = groupsStatement(reading, 'where mutes.until is null')
  const rows = await reading.query<GroupRow>(statement, [GROUP_LIMIT + 1, MAX_GROUPS])
  return rows.map((row) => toGroup(row, isMasked))
}

/** How many runs all groups have that were read. */
export function runsOf(groups: readonly FailureGroup[]): Quantity {
  const sum = addUp(groups.flatMap(({ retrying, dead }) => [retrying, dead]))
  return groups.length < MAX_GROUPS ? sum : { ...sum, isAtLeast: true }
}

/**
 * Postgres finds different values by reading all rows. This steps from group to group along the index instead, and reads
 * of each no more than its limit.
 */
function groupsStatement(reading: Reading, where = ''): string {
  const runs = reading.table('handler_runs')
  const next = (condition: string) => `
    (select handler, fingerprint from ${runs} where ${FAILING} and ${condition}
     order by handler, fingerprint limit 1)`
  return `
    with recursive groups(handler, fingerprint) as (
      ${next('fingerprint is not null')}
      union all
      select following.handler, following.fingerprint from groups cross join lateral (
        select * from (
          select * from ${next('handler = groups.handler and fingerprint > groups.fingerprint')} as same
          union all
          select * from ${next('handler > groups.handler and fingerprint is not null')} as other
        ) as candidates limit 1
      ) as following
    )
    select groups.handler, groups.fingerprint, tally.*, oldest.first_at, newest.error, newest.event_id as sample,
      handlers.paused_at, mutes.until as muted_until, hours.hours,
      (select release from ${reading.table('releases')}
       where started_at <= oldest.first_at and started_at > oldest.first_at - interval '1 day'
       order by started_at desc limit 1) as release
    from groups
    cross join lateral (
      select count(*) filter (where status = 'retrying')::integer as retrying,
        count(*) filter (where status = 'dead')::integer as dead,
        max(created_at) as last_at
      from (
        select status, created_at from ${runs}
        where ${ofGroup()} order by created_at desc limit $1
      ) as latest
    ) as tally
    cross join lateral (
      select created_at as first_at from ${runs} where ${ofGroup()} order by created_at limit 1
    ) as oldest
    cross join lateral (
      select error, event_id from ${runs} where ${ofGroup()} order by created_at desc limit 1
    ) as newest
    cross join lateral (
      select json_agg(json_build_object('hours_ago', hours_ago, 'count', count)) as hours from (
        select floor(extract(epoch from now() - created_at) / 3600)::integer as hours_ago, count(*)::integer as count
        from (
          select created_at from ${runs} where ${ofGroup()} and created_at > now() - interval '24 hours'
          order by created_at desc limit $1
        ) as latest group by 1
      ) as by_hour
    ) as hours
    left join ${reading.table('handlers')} as handlers on handlers.name = groups.handler
    left join ${reading.table('failure_mutes')} as mutes
      on mutes.handler = groups.handler and mutes.fingerprint = groups.fingerprint and mutes.until > now()
    ${where}
    order by tally.last_at desc limit $2`
}

function ofGroup(): string {
  return `${FAILING} and handler = groups.handler and fingerprint = groups.fingerprint`
}

function toGroup(row: GroupRow, isMasked: boolean): FailureGroup {
  const { retrying, dead } = row
  const error = row.error && (isMasked ? maskText(row.error) : row.error)
  // The newest of both were counted together: beyond them there can be more of either.
  const isCut = retrying + dead > GROUP_LIMIT
  const amount = (count: number) => (isCut ? atLeast(Math.min(count, GROUP_LIMIT)) : exactly(count))
  const hours = new Map((row.hours ?? []).map(({ hours_ago, count }) => [hours_ago, count]))
  return {
    handler: row.handler,
    fingerprint: row.fingerprint,
    error,
    cause: causeOf(error),
    retrying: amount(retrying),
    dead: amount(dead),
    firstAt: toTime(row.first_at),
    lastAt: toTime(row.last_at),
    sparkline: Array.from({ length: 24 }, (_, index) => hours.get(23 - index) ?? 0),
    isPaused: row.paused_at !== null,
    mutedUntil: toTime(row.muted_until),
    release: row.release,
    sampleEventId: row.sample,
  }
}

/** The runs that a filter means, newest first, each with its event. */
export async function listRuns(
  reading: Reading,
  filter: RunFilter,
  { limit, cursor }: PageRequest,
  isMasked: boolean,
): Promise<PageOf<HandlerRun & { readonly event: EventItem | null }>> {
  const position = readCursor(cursor, ['time', 'id'])
  const conditions = [
    ...runConditions(filter, reading.schema),
    ...after(sql`(created_at, event_id)`, position),
  ]
  const rows = await reading.run(
    sql<RunRow & { position: string }>`
      select ${sql.raw(RUN_COLUMNS)}, created_at::text as position
      from ${sql.id(reading.schema, 'handler_runs')} where ${all(conditions)}
      order by created_at desc, event_id desc limit ${limit + 1}`,
  )
  const ids = rows.slice(0, limit).map(({ event_id }) => event_id)
  const events = new Map((await readItems(reading, ids, isMasked)).map((item) => [item.id, item]))
  const items = rows.map((row) => ({ ...toRun(row, isMasked), event: events.get(row.event_id) ?? null }))
  return toPage(rows, limit, items, (row) => [row.position, row.event_id])
}
