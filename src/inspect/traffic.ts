/**
 * Events over time, added up from the minutes that the ledger counts, or from the spans that maintenance made of them: no
 * chart ever counts events.
 */

import { ClerkSyncError } from '../errors.ts'
import { LEAST_MINUTES_DAYS } from '../maintenance/policy.ts'
import { SPAN_SECONDS } from '../maintenance/spans.ts'
import type { Lag, Release, Time, Traffic, TrafficPoint } from './model.ts'
import { type Reading, toTime } from './reading.ts'

/** The smallest step that makes at most this many buckets. */
const BUCKET_SECONDS = [60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400] as const
const MAX_BUCKETS = 180
const MAX_RANGE_SECONDS = BUCKET_SECONDS[8] * MAX_BUCKETS

export interface Range {
  readonly since: Time
  readonly until: Time
}

interface CountedRow {
  readonly bucket: number
  readonly outcome: keyof typeof NO_EVENTS
  readonly lag_step: number
  readonly events: number
}

interface FailingRow {
  readonly bucket: number
  readonly count: number
}

const NO_EVENTS = { applied: 0, stale: 0, ignored: 0, parked: 0, failed: 0, duplicate: 0, rejected: 0 }

/** @throws {ClerkSyncError} `request_invalid` for a range that is none, or too long */
export async function readTraffic(reading: Reading, range: Range): Promise<Traffic> {
  const { since, until, bucketSeconds } = toBuckets(range)
  const parameters = [bucketSeconds, since, until]
  const counted = await reading.query<CountedRow>(
    `select ${bucketOf('at')}, outcome, lag_step, sum(events)::integer as events
     from (${countedRows(reading, bucketSeconds)}) as counted
     where at >= to_timestamp($2) and at < to_timestamp($3) group by 1, 2, 3`,
    parameters,
  )
  const failing = await reading.query<FailingRow>(
    `select ${bucketOf('created_at')}, count(*)::integer as count from ${reading.table('handler_runs')}
     where fingerprint is not null and status in ('retrying', 'dead') and created_at >= to_timestamp($2) and created_at < to_timestamp($3)
     group by 1`,
    parameters,
  )
  const points = pointsOf({ since, until, bucketSeconds }, counted, toMap(failing))
  const releases = await readReleases(reading, since, until)
  return { since: isoSeconds(since), until: isoSeconds(until), bucketSeconds, points, releases }
}

const MAX_RELEASES = 50

async function readReleases(reading: Reading, since: number, until: number): Promise<Release[]> {
  const rows = await reading.query<{ release: string; started_at: Date }>(
    `select release, started_at from ${reading.table('releases')}
     where started_at >= to_timestamp($1) and started_at < to_timestamp($2)
     order by started_at desc limit ${MAX_RELEASES}`,
    [since, until],
  )
  return rows.reverse().map(({ release, started_at }) => ({ release, at: toTime(started_at) }))
}

/** What came in at which time: where the buckets allow it from spans, and from minutes since the last one of those. */
function countedRows(reading: Reading, bucketSeconds: number): string {
  const isBySpan = bucketSeconds >= SPAN_SECONDS
  const spans = reading.table('event_spans')
  const end = `select coalesce(max(span) + make_interval(secs => ${SPAN_SECONDS}), '-infinity') from ${spans}`
  const rest = isBySpan ? `where minute >= (${end})` : ''
  return `
    ${isBySpan ? `select span as at, outcome, lag_step, events from ${spans} union all` : ''}
    select minute as at, outcome, lag_step, events from ${reading.table('event_minutes')} ${rest}
    union all
    select minute as at, 'rejected', -1, requests from ${reading.table('refusals')} ${rest}`
}

/** The time from Clerk's event to our commit, over the last minutes. */
export async function readLag(reading: Reading, minutes: number): Promise<Lag> {
  const rows = await reading.query<LagStep>(
    `select lag_step, sum(events)::integer as events from ${reading.table('event_minutes')}
     where minute >= now() - make_interval(mins => $1) and lag_step >= 0 group by 1`,
    [minutes],
  )
  return lagOf(rows)
}

function bucketOf(column: string): string {
  return `(floor(extract(epoch from ${column}) / $1::integer) * $1::integer)::float8 as bucket`
}

interface Buckets {
  readonly since: number
  readonly until: number
  readonly bucketSeconds: number
}

/** Of old events only the spans are kept. */
function toBuckets({ since, until }: Range): Buckets {
  const [first, last] = [Date.parse(since) / 1_000, Date.parse(until) / 1_000]
  const seconds = last - first
  if (!(seconds > 0 && seconds <= MAX_RANGE_SECONDS)) {
    throw new ClerkSyncError('request_invalid', 'since must be before until, by 180 days at most')
  }
  const isOld = Date.now() / 1_000 - first > LEAST_MINUTES_DAYS * 86_400
  const smallest = isOld ? SPAN_SECONDS : BUCKET_SECONDS[0]
  const bucketSeconds = BUCKET_SECONDS.find(
    (size) => size >= smallest && seconds / size <= MAX_BUCKETS,
  ) as number
  return {
    since: Math.floor(first / bucketSeconds) * bucketSeconds,
    until: Math.ceil(last / bucketSeconds) * bucketSeconds,
    bucketSeconds,
  }
}

function pointsOf(
  { since, until, bucketSeconds }: Buckets,
  counted: readonly CountedRow[],
  failing: ReadonlyMap<number, number>,
): TrafficPoint[] {
  const byBucket = Map.groupBy(counted, ({ bucket }) => bucket)
  return Array.from({ length: (until - since) / bucketSeconds }, (_, index) => {
    const bucket = since + index * bucketSeconds
    const rows = byBucket.get(bucket) ?? []
    const events = { ...NO_EVENTS }
    for (const { outcome, events: count } of rows) events[outcome] += count
    return {
      at: isoSeconds(bucket),
      ...events,
      handlerFailed: failing.get(bucket) ?? 0,
      lag: lagOf(rows),
    }
  })
}

interface LagStep {
  readonly lag_step: number
  readonly events: number
}

/** A step is √2 wide: what lies in one counts as its middle. */
function lagOf(rows: readonly LagStep[]): Lag {
  const steps = rows.filter(({ lag_step }) => lag_step >= 0).sort((a, b) => a.lag_step - b.lag_step)
  const total = steps.reduce((sum, { events }) => sum + events, 0)
  const quantile = (share: number) => {
    let seen = 0
    const found = steps.find(({ events }) => {
      seen += events
      return seen >= share * total
    })
    return found ? Math.round(2 ** ((found.lag_step + 0.5) / 2)) : null
  }
  return { p50Ms: quantile(0.5), p95Ms: quantile(0.95) }
}

function toMap(rows: readonly FailingRow[]): Map<number, number> {
  return new Map(rows.map(({ bucket, count }) => [bucket, count]))
}

function isoSeconds(seconds: number): Time {
  return new Date(seconds * 1_000).toISOString()
}
