/** How it is, at a glance: everything that the first page shows. */

import { RESOURCES } from '../clerk/catalogue.ts'
import { readOpenFailureGroups, runsOf } from './failures.ts'
import { runningJobs } from './jobs.ts'
import type { ChecklistStep, Overview, Quantity, ResourceCount, Time } from './model.ts'
import { counted, countLiveRows, countUpTo, exactly } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'
import { readRejectedGroups } from './refusals.ts'
import { statusOf } from './status.ts'
import { readLag } from './traffic.ts'
import { readWaitingWork } from './waiting-work.ts'

/** What this process knows beside the database. */
export interface Surroundings {
  readonly isEnabled: (resource: string) => boolean
  /** Whether Clerk can be asked for what was before the first event. */
  readonly canBackfill: boolean
  /** Personal data in errors is hidden. */
  readonly isMasked: boolean
}

const SHOWN_GROUPS = 5
const LAG_MINUTES = 60
/** Each is a row to read. */
const WAITING_LIMIT = 1_000

export async function readOverview(reading: Reading, surroundings: Surroundings): Promise<Overview> {
  const now = await readNow(reading)
  const lastEvent = await readLastEvent(reading)
  const failing = await readOpenFailureGroups(reading, surroundings.isMasked)
  const failingRuns = runsOf(failing)
  const failed = await countEvents(reading, 'failed')
  const sweeps = await readSweeps(reading)
  const resources = await readResources(reading, surroundings, sweeps)
  const checklist = checklistOf(lastEvent !== null, sweeps.some(isWhole), surroundings)
  return {
    at: now,
    status: statusOf({
      at: now,
      lastEventAt: lastEvent?.receivedAt ?? null,
      usualGapMs: await readUsualGap(reading),
      failing,
      failingRuns,
      failed,
      failedSince: failed.value ? await readFailedSince(reading) : null,
      rejected: await rejectedLately(reading, now),
      checklist,
      waitingWork: await readWaitingWork(reading),
    }),
    firstEventAt: await readFirstEventAt(reading),
    lastEvent,
    lag: await readLag(reading, LAG_MINUTES),
    waiting: await readWaiting(reading),
    notApplied: {
      failed,
      parked: await countEvents(reading, 'parked'),
      dead: await countUpTo(
        reading,
        `select 1 from ${reading.table('handler_runs')} where fingerprint is not null and status = 'dead'`,
      ),
      rejected: await countRejected(reading),
    },
    failing: failing.slice(0, SHOWN_GROUPS),
    failingRuns,
    resources,
    jobs: await runningJobs(reading),
    checklist,
  }
}

async function readNow(reading: Reading): Promise<Time> {
  const [row] = await reading.query<{ now: Date }>('select clock_timestamp() as now')
  return toTime((row as { now: Date }).now)
}

async function readLastEvent(reading: Reading): Promise<Overview['lastEvent']> {
  const [row] = await reading.query<{ id: string; type: string | null; received_at: Date }>(
    `select id, type, received_at from ${reading.table('events')} order by received_at desc, id desc limit 1`,
  )
  return row ? { id: row.id, type: row.type, receivedAt: toTime(row.received_at) } : null
}

async function readFirstEventAt(reading: Reading): Promise<Time | null> {
  const [row] = await reading.query<{ received_at: Date }>(
    `select received_at from ${reading.table('events')} order by received_at, id limit 1`,
  )
  return toTime(row?.received_at ?? null)
}

function countEvents(reading: Reading, outcome: 'failed' | 'parked'): Promise<Quantity> {
  return countUpTo(reading, `select 1 from ${reading.table('events')} where outcome = '${outcome}'`)
}

async function readFailedSince(reading: Reading): Promise<Time | null> {
  const [row] = await reading.query<{ at: Date | null }>(
    `select min(received_at) as at from ${reading.table('events')} where outcome = 'failed'`,
  )
  return toTime(row?.at ?? null)
}

async function countRejected(reading: Reading): Promise<Quantity> {
  const [row] = await reading.query<{ count: number }>(
    `select coalesce(sum(requests), 0)::integer as count from ${reading.table('refusals')}
     where minute > now() - interval '24 hours'`,
  )
  return exactly(row?.count ?? 0)
}

/** The refusals of the last hour. */
async function rejectedLately(reading: Reading, now: Time) {
  const hourAgo = new Date(Date.parse(now) - 3_600_000).toISOString()
  return (await readRejectedGroups(reading, 1)).filter(({ lastAt }) => lastAt > hourAgo)
}

/** The oldest of those that are counted. */
async function readWaiting(reading: Reading): Promise<Overview['waiting']> {
  const [row] = await reading.query<{ count: number; oldest: Date | null }>(
    `select count(*)::integer as count, min(created_at) as oldest from (
       select created_at from ${reading.table('handler_runs')}
       where due_at is not null and status in ('pending', 'retrying')
       order by handler, due_at limit $1
     ) as waiting`,
    [WAITING_LIMIT + 1],
  )
  return { count: counted(row?.count ?? 0, WAITING_LIMIT), oldestAt: toTime(row?.oldest ?? null) }
}

/**
 * The pauses that are usual: nineteen of twenty minutes with events in the last day came no later after the one before.
 * Null with too few to tell. From minute to minute along the index: each has many rows.
 */
export async function readUsualGap(reading: Reading): Promise<number | null> {
  const nextMinute = (after: string) => `
    (select minute from ${reading.table('event_minutes')}
     where minute > ${after} and outcome <> 'duplicate' order by minute limit 1)`
  const [row] = await reading.query<{ gap: number | null; minutes: number }>(
    `with recursive busy(minute) as (
       ${nextMinute(`now() - interval '1 day'`)}
       union all
       select ${nextMinute('busy.minute')} from busy where minute is not null
     )
     select percentile_cont(0.95) within group (order by gap) as gap, count(*)::integer as minutes from (
       select extract(epoch from minute - lag(minute) over (order by minute))::float8 * 1000 as gap
       from busy where minute is not null
     ) as gaps where gap is not null`,
  )
  return row && row.minutes >= 20 ? row.gap : null
}

async function readResources(
  reading: Reading,
  { isEnabled }: Surroundings,
  sweeps: readonly Sweep[],
): Promise<ResourceCount[]> {
  const counts: ResourceCount[] = []
  for (const resource of RESOURCES.keys()) {
    const here = await countLiveRows(reading, resource)
    counts.push({ resource, here, ...comparedIn(sweeps, resource), isEnabled: isEnabled(resource) })
  }
  return counts
}

type Compared = Pick<ResourceCount, 'clerk' | 'drift' | 'checkedAt'>

interface SweepLine {
  readonly listed?: number
  readonly expected?: number | null
  readonly status?: string
  readonly isFull?: boolean
}

interface Sweep {
  readonly kind: 'reconcile' | 'backfill'
  readonly isDry: boolean
  readonly progress: Readonly<Record<string, SweepLine>>
  readonly report: { resources?: Record<string, { kinds?: Record<string, number> }> } | null
  readonly finished_at: Date
}

/** The newest first. */
function readSweeps(reading: Reading): Promise<Sweep[]> {
  return reading.query<Sweep>(
    `select kind, progress, report, finished_at, coalesce((scope ->> 'dryRun')::boolean, false) as "isDry"
     from ${reading.table('jobs')}
     where kind in ('reconcile', 'backfill') and status in ('complete', 'incomplete') and finished_at is not null
     order by created_at desc limit 20`,
  )
}

function isWhole({ progress }: Sweep): boolean {
  return Object.values(progress).some(({ status }) => status === 'complete')
}

/** How many Clerk has is what the last look said that counted them; what differs, only a reconcile knows. */
function comparedIn(sweeps: readonly Sweep[], resource: string): Compared {
  const whole = sweeps.filter(({ progress }) => progress[resource]?.status === 'complete')
  const reconcile = whole.find(({ kind }) => kind === 'reconcile')
  return {
    clerk: whole.map(({ progress }) => countIn(progress[resource])).find((count) => count !== null) ?? null,
    drift: reconcile ? driftIn(reconcile, resource) : null,
    checkedAt: toTime(reconcile?.finished_at ?? null),
  }
}

/** A look at only what changed counts nothing. */
function countIn({ listed, expected, isFull }: SweepLine = {}): number | null {
  return expected ?? (isFull ? (listed ?? null) : null)
}

/** Differences that were repaired are none any more. */
function driftIn({ isDry, report }: Sweep, resource: string): number {
  const { refreshed: _, ...kinds } = report?.resources?.[resource]?.kinds ?? {}
  return isDry ? Object.values(kinds).reduce((sum, count) => sum + count, 0) : 0
}

function checklistOf(
  hasEvents: boolean,
  isBackfilled: boolean,
  { canBackfill }: Surroundings,
): ChecklistStep[] | null {
  if (hasEvents && (isBackfilled || !canBackfill)) return null
  return [
    { step: 'receiver_up', isDone: true, text: 'The server is running.' },
    { step: 'secret_set', isDone: true, text: 'The signing secret is set.' },
    {
      step: 'first_event',
      isDone: hasEvents,
      text: hasEvents ? 'Events are arriving.' : 'Send one: clerk-sync trigger user.created',
    },
    {
      step: 'backfill',
      isDone: isBackfilled,
      text: canBackfill
        ? 'Import existing data from Clerk: start a backfill.'
        : 'Set CLERK_SECRET_KEY to import existing data from Clerk.',
    },
  ]
}
