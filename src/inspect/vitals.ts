/** How it is, in few numbers that cost the database little: what metrics and alerts read, over and over. */

import type { ConnectionState } from '../database/connections.ts'
import { EVENT_PARTS, type EventPart } from '../database/event-parts.ts'
import { runningJobs } from './jobs.ts'
import { readUsualGap } from './overview.ts'
import { countUpTo } from './quantity.ts'
import type { Reading } from './reading.ts'
import { readLag } from './traffic.ts'
import { readWaitingWork } from './waiting-work.ts'

/** Counts go up to 10,000: more of the same trouble is no other trouble. */
export interface Vitals {
  /** Seconds since the last event was recorded; null before the first. */
  readonly lastEventAge: number | null
  /** The pause between events that is usual, in seconds; null with too few to tell. */
  readonly usualGap: number | null
  /** From Clerk's time to the commit, over the last ten minutes, in seconds; null without events. */
  readonly lag: { readonly p50: number | null; readonly p95: number | null }
  /** Handler runs that are due. */
  readonly dueRuns: number
  /** For how many seconds the oldest of them has been due; null without any. */
  readonly oldestDueAge: number | null
  /** Due runs while no worker is there; 0 if one is. */
  readonly dueRunsWithoutWorker: number
  readonly workers: number
  /** Runs that have exhausted their retries, by handler. */
  readonly deadRuns: ReadonlyMap<string, number>
  readonly failedEvents: number
  readonly parkedEvents: number
  /** Refused requests of the last ten minutes, by the error's code. */
  readonly refusals: ReadonlyMap<string, number>
  /** The last reconcile that ended; null if none has. */
  readonly reconcile: { readonly age: number; readonly drift: number; readonly isComplete: boolean } | null
  /** Jobs that run, one of a kind at most. */
  readonly jobs: readonly JobVitals[]
  readonly retention: RetentionVitals
}

/** What retention has to forget, and whether it does. */
interface RetentionVitals {
  /** Seconds since maintenance last finished; before the first time, since the first event. Null without events. */
  readonly maintenanceAge: number | null
  /** For how many seconds the oldest body has been kept, those aside that a run still needs; null without any. */
  readonly oldestBodyAge: number | null
  /** By table, `event_bodies` and `event_changes`. */
  readonly parts: ReadonlyMap<EventPart, PartVitals>
}

interface PartVitals {
  /** On disk, with indexes. */
  readonly bytes: number
  /** Those that take space; the default one counts. */
  readonly partitions: number
}

/** What a process holds right now. */
export interface ProcessLoad {
  /** Deliveries that wait for a commit to begin. */
  readonly waitingDeliveries: number
  /** Its connections; none to an embedded database. */
  readonly connections: ConnectionState
}

interface JobVitals {
  readonly kind: string
  /** How far it is, from 0 to 1; null if nobody knows. */
  readonly progress: number | null
}

const LAG_MINUTES = 10
const MAX_COUNT = 10_000

export async function readVitals(reading: Reading): Promise<Vitals> {
  const gapMs = await readUsualGap(reading)
  const { p50Ms, p95Ms } = await readLag(reading, LAG_MINUTES)
  return {
    lastEventAge: await readLastEventAge(reading),
    usualGap: toSeconds(gapMs),
    lag: { p50: toSeconds(p50Ms), p95: toSeconds(p95Ms) },
    ...(await readDueRuns(reading)),
    dueRunsWithoutWorker: (await readWaitingWork(reading))?.due.value ?? 0,
    workers: await countWorkers(reading),
    deadRuns: await readDeadRuns(reading),
    failedEvents: await countEvents(reading, 'failed'),
    parkedEvents: await countEvents(reading, 'parked'),
    refusals: await readRefusals(reading),
    reconcile: await readReconcile(reading),
    jobs: await readJobs(reading),
    retention: await readRetention(reading),
  }
}

function toSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000
}

/** Seconds from a time until now. */
function ageOf(time: string): string {
  return `greatest(0, extract(epoch from clock_timestamp() - ${time}))::float8`
}

async function readLastEventAge(reading: Reading): Promise<number | null> {
  const [row] = await reading.query<{ age: number }>(
    `select ${ageOf('received_at')} as age from ${reading.table('events')} order by received_at desc limit 1`,
  )
  return row?.age ?? null
}

/** Those of a paused handler are to wait. The oldest is looked for handler by handler, along the index. */
async function readDueRuns(reading: Reading): Promise<Pick<Vitals, 'dueRuns' | 'oldestDueAge'>> {
  const runs = reading.table('handler_runs')
  const next = (condition: string) => `
    (select handler from ${runs} where due_at is not null and ${condition} order by handler limit 1)`
  const due = `due_at <= clock_timestamp() and status in ('pending', 'retrying')`
  const [row] = await reading.query<{ count: number; age: number | null }>(
    `with recursive names(handler) as (
       ${next('true')}
       union all
       select ${next('handler > names.handler')} from names where handler is not null
     ), unpaused as (
       select handler from names where handler is not null and not exists (
         select from ${reading.table('handlers')} as paused
         where paused.name = names.handler and paused.paused_at is not null
       )
     )
     select ${ageOf('min(oldest.due_at)')} as age, (
       select count(*)::integer from (
         select from unpaused join ${runs} as run using (handler) where ${due} limit $1
       ) as counted
     ) as count
     from unpaused cross join lateral (
       select due_at from ${runs} as run where run.handler = unpaused.handler and ${due} order by due_at limit 1
     ) as oldest`,
    [MAX_COUNT],
  )
  const { count = 0, age = null } = row ?? {}
  return { dueRuns: count, oldestDueAge: count === 0 ? null : age }
}

async function countWorkers(reading: Reading): Promise<number> {
  const [row] = await reading.query<{ count: number }>(
    `select count(*)::integer as count from ${reading.table('handler_workers')}
     where lease_until > clock_timestamp() and not has_ended`,
  )
  return row?.count ?? 0
}

async function readDeadRuns(reading: Reading): Promise<Map<string, number>> {
  const rows = await reading.query<{ handler: string; count: number }>(
    `select handler, count(*)::integer as count from (
       select handler from ${reading.table('handler_runs')}
       where fingerprint is not null and status = 'dead' limit $1
     ) as dead group by handler order by handler`,
    [MAX_COUNT],
  )
  return new Map(rows.map(({ handler, count }) => [handler, count]))
}

async function countEvents(reading: Reading, outcome: 'failed' | 'parked'): Promise<number> {
  const text = `select 1 from ${reading.table('events')} where outcome = '${outcome}'`
  return (await countUpTo(reading, text)).value ?? 0
}

async function readRefusals(reading: Reading): Promise<Map<string, number>> {
  const rows = await reading.query<{ code: string; count: number }>(
    `select code, sum(requests)::integer as count from ${reading.table('refusals')}
     where minute > clock_timestamp() - interval '10 minutes' group by code order by code`,
  )
  return new Map(rows.map(({ code, count }) => [code, count]))
}

async function readReconcile(reading: Reading): Promise<Vitals['reconcile']> {
  const [row] = await reading.query<{ age: number; drift: number; status: string }>(
    `select ${ageOf('finished_at')} as age, coalesce((report ->> 'total')::integer, 0) as drift, status
     from ${reading.table('jobs')}
     where kind = 'reconcile' and status in ('complete', 'incomplete') and finished_at is not null
     order by finished_at desc limit 1`,
  )
  return row ? { age: row.age, drift: row.drift, isComplete: row.status === 'complete' } : null
}

async function readRetention(reading: Reading): Promise<RetentionVitals> {
  const parts = new Map<EventPart, PartVitals>()
  for (const part of Object.keys(EVENT_PARTS) as EventPart[]) parts.set(part, await readPart(reading, part))
  return {
    maintenanceAge: await readMaintenanceAge(reading),
    oldestBodyAge: await readOldestBodyAge(reading),
    parts,
  }
}

async function readPart(reading: Reading, part: EventPart): Promise<PartVitals> {
  const [row] = await reading.query<PartVitals>(
    `select coalesce(sum(pg_total_relation_size(inhrelid)), 0)::float8 as bytes,
       count(*) filter (where pg_relation_size(inhrelid) > 0)::integer as partitions
     from pg_inherits where inhparent = $1::regclass`,
    [reading.table(part)],
  )
  return row ?? { bytes: 0, partitions: 0 }
}

/** The key begins with the time. What a run holds back is filed at infinity. */
async function readOldestBodyAge(reading: Reading): Promise<number | null> {
  const [row] = await reading.query<{ age: number | null }>(
    `select ${ageOf('at')} as age
     from (select min(filed_at) as at from ${reading.table('event_bodies')} where filed_at < 'infinity') as oldest
     where at is not null`,
  )
  return row?.age ?? null
}

async function readMaintenanceAge(reading: Reading): Promise<number | null> {
  const [row] = await reading.query<{ age: number | null }>(
    `select ${ageOf('coalesce(done.at, first.at)')} as age
     from (select max(ended_at) as at from ${reading.table('maintenance')}) as done,
       (select min(received_at) as at from (
         select received_at from ${reading.table('events')} order by received_at limit 1
       ) as oldest) as first
     where coalesce(done.at, first.at) is not null`,
  )
  return row?.age ?? null
}

/** Those whose process is alive. */
async function readJobs(reading: Reading): Promise<JobVitals[]> {
  const jobs = await runningJobs(reading)
  return jobs
    .filter(({ state }) => state === 'running')
    .map(({ kind, done, total }) => ({ kind, progress: shareOf(done, total.value) }))
}

function shareOf(done: number | null, total: number | null): number | null {
  if (done === null || total === null) return null
  return total === 0 ? 1 : Math.min(1, done / total)
}
