/** Events over time, added up from the minutes that the ledger counts: no chart ever counts events. */

import { ClerkSyncError } from '../errors.ts'
import type { Lag, Time, Traffic, TrafficPoint } from './model.ts'
import type { Reading } from './reading.ts'

/** Of these the smallest that makes at most so many buckets. */
const BUCKET_SECONDS = [60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400] as const
const MAX_BUCKETS = 180
const MAX_RANGE_SECONDS = BUCKET_SECONDS[8] * MAX_BUCKETS

export interface Range {
  readonly since: Time
  readonly until: Time
}

interface MinutesRow {
  readonly bucket: number
  readonly outcome: keyof typeof NO_EVENTS
  readonly lag_step: number
  readonly events: number
}

interface CountRow {
  readonly bucket: number
  readonly count: number
}

const NO_EVENTS = { applied: 0, stale: 0, ignored: 0, parked: 0, failed: 0, duplicate: 0 }

/** @throws {ClerkSyncError} `request_invalid` for a range that is none, or too long */
export async function readTraffic(reading: Reading, range: Range): Promise<Traffic> {
  const { since, until, bucketSeconds } = toBuckets(range)
  const parameters = [bucketSeconds, since, until]
  const minutes = await reading.query<MinutesRow>(
    `select ${bucketOf('minute')}, outcome, lag_step, sum(events)::integer as events
     from ${reading.table('event_minutes')} where minute >= to_timestamp($2) and minute < to_timestamp($3)
     group by 1, 2, 3`,
    parameters,
  )
  const rejected = await reading.query<CountRow>(
    `select ${bucketOf('minute')}, sum(requests)::integer as count
     from ${reading.table('refusals')} where minute >= to_timestamp($2) and minute < to_timestamp($3) group by 1`,
    parameters,
  )
  const failing = await reading.query<CountRow>(
    `select ${bucketOf('created_at')}, count(*)::integer as count from ${reading.table('handler_runs')}
     where status in ('retrying', 'dead') and created_at >= to_timestamp($2) and created_at < to_timestamp($3)
     group by 1`,
    parameters,
  )
  const points = pointsOf(since, until, bucketSeconds, minutes, toMap(rejected), toMap(failing))
  return { since: isoSeconds(since), until: isoSeconds(until), bucketSeconds, points }
}

/** From Clerk's time to ours, over the last so many minutes. */
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

function toBuckets({ since, until }: Range) {
  const [first, last] = [Date.parse(since) / 1_000, Date.parse(until) / 1_000]
  const seconds = last - first
  if (!(seconds > 0 && seconds <= MAX_RANGE_SECONDS)) {
    throw new ClerkSyncError('request_invalid', 'since must be before until, by 180 days at most')
  }
  const bucketSeconds = BUCKET_SECONDS.find((size) => seconds / size <= MAX_BUCKETS) as number
  return {
    since: Math.floor(first / bucketSeconds) * bucketSeconds,
    until: Math.ceil(last / bucketSeconds) * bucketSeconds,
    bucketSeconds,
  }
}

function pointsOf(
  since: number,
  until: number,
  bucketSeconds: number,
  minutes: readonly MinutesRow[],
  rejected: ReadonlyMap<number, number>,
  failing: ReadonlyMap<number, number>,
): TrafficPoint[] {
  const byBucket = Map.groupBy(minutes, ({ bucket }) => bucket)
  return Array.from({ length: (until - since) / bucketSeconds }, (_, index) => {
    const bucket = since + index * bucketSeconds
    const rows = byBucket.get(bucket) ?? []
    const events = { ...NO_EVENTS }
    for (const { outcome, events: count } of rows) events[outcome] += count
    return {
      at: isoSeconds(bucket),
      ...events,
      rejected: rejected.get(bucket) ?? 0,
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

function toMap(rows: readonly CountRow[]): Map<number, number> {
  return new Map(rows.map(({ bucket, count }) => [bucket, count]))
}

function isoSeconds(seconds: number): Time {
  return new Date(seconds * 1_000).toISOString()
}
