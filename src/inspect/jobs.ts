/** Jobs as their rows describe them, readable from any process. */

import { ClerkSyncError } from '../errors.ts'
import { type PageRequest, readCursor, toPage } from './cursor.ts'
import type { JobDetail, JobLine, JobState, JobSummary, PageOf } from './model.ts'
import { exactly, UNKNOWN } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'

interface JobRow {
  readonly id: string
  readonly kind: string
  readonly status: 'running' | 'complete' | 'incomplete' | 'failed' | 'aborted'
  readonly scope: Readonly<Record<string, unknown>>
  readonly progress: unknown
  readonly report: unknown
  readonly error: { readonly code: string; readonly message: string } | null
  readonly created_at: Date
  readonly started_at: Date
  readonly updated_at: Date
  readonly finished_at: Date | null
  readonly is_lost: boolean
  readonly position: string
  readonly started_by: string | null
}

/** Who started a job is written down beside it, some moments after it began. */
function columns(reading: Reading): string {
  return `id, kind, status, scope, progress, report, error, created_at, started_at, updated_at, finished_at,
    status = 'running' and lease_until < clock_timestamp() as is_lost, created_at::text as position, (
      select actor from ${reading.table('audit_log')}
      where at >= jobs.created_at and at < jobs.created_at + interval '1 minute'
        and action = 'job_started' and target = 'jobs/' || jobs.id limit 1
    ) as started_by`
}

export async function listJobs(
  reading: Reading,
  { limit, cursor }: PageRequest,
): Promise<PageOf<JobSummary>> {
  const position = readCursor(cursor, ['time', 'id'])
  const rows = await reading.query<JobRow>(
    `select ${columns(reading)} from ${reading.table('jobs')} as jobs
     ${position ? 'where (created_at, id) < ($2::timestamptz, $3)' : ''}
     order by created_at desc, id desc limit $1`,
    [limit + 1, ...(position ?? [])],
  )
  return toPage(rows, limit, rows.map(toSummary), (row) => [row.position, row.id])
}

/** Those that run now. There is one of a kind at most. */
export async function runningJobs(reading: Reading): Promise<JobSummary[]> {
  const rows = await reading.query<JobRow>(
    `select ${columns(reading)} from ${reading.table('jobs')} as jobs where status = 'running' order by created_at`,
  )
  return rows.map(toSummary)
}

/** @throws {ClerkSyncError} `job_not_found` */
export async function getJob(reading: Reading, id: string): Promise<JobDetail> {
  const [row] = await reading.query<JobRow>(
    `select ${columns(reading)} from ${reading.table('jobs')} as jobs where id = $1`,
    [id],
  )
  if (row === undefined) throw new ClerkSyncError('job_not_found', id)
  const summary = toSummary(row)
  const rate = rateOf(row, summary)
  const left = (summary.total.value ?? Number.NaN) - (summary.done ?? 0)
  const isRunning = summary.state === 'running'
  return {
    ...summary,
    lines: linesOf(row),
    rate,
    etaSeconds: isRunning && rate && left >= 0 ? Math.ceil(left / rate) : null,
    counts: countsOf(row),
    scope: row.scope,
    report: row.report,
    canPause: isRunning,
    // One that is paused is aborted for those who come by: it is not to go on.
    canAbort: isRunning || summary.state === 'paused' || summary.state === 'lost',
  }
}

const STATES: Readonly<Record<JobRow['status'], JobState>> = {
  running: 'running',
  complete: 'done',
  incomplete: 'incomplete',
  failed: 'failed',
  aborted: 'aborted',
}

function toSummary(row: JobRow): JobSummary {
  const lines = linesOf(row)
  const totals = lines.map(({ total }) => total)
  const isKnown = lines.length > 0 && totals.every((total) => total !== null)
  return {
    id: row.id,
    kind: row.kind,
    state: row.is_lost ? 'lost' : stateOf(row),
    title: titleOf(row),
    startedBy: row.started_by,
    startedAt: toTime(row.created_at),
    finishedAt: toTime(row.finished_at),
    updatedAt: toTime(row.updated_at),
    done: lines.length > 0 ? sum(lines.map(({ done }) => done)) : null,
    total: isKnown ? exactly(sum(totals as number[])) : UNKNOWN,
    error: row.error?.message ?? null,
  }
}

/** A job that was asked to pause has ended like one that was aborted, and goes on where it was. */
function stateOf({ status, error }: JobRow): JobState {
  return status === 'aborted' && error?.code === 'paused' ? 'paused' : STATES[status]
}

function titleOf({ kind, scope }: JobRow): string {
  const title = text(scope.title)
  if (title) return title
  const resources = Array.isArray(scope.resources) ? scope.resources.join(', ') : ''
  const dry = scope.dryRun === true ? ' (dry run)' : ''
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}${resources && `: ${resources}`}${dry}`
}

/** A line of progress per resource, as sweeps keep it; jobs about events have a single one. */
function linesOf({ kind, status, progress }: JobRow): JobLine[] {
  const { seen, matched } = record(progress)
  if (typeof seen === 'number') {
    return [
      {
        name: kind,
        state: LINE_STATES[status] ?? 'failed',
        done: seen,
        total: typeof matched === 'number' ? matched : null,
        failed: 0,
      },
    ]
  }
  return Object.entries(record(progress)).flatMap(([name, value]) => {
    const line = record(value)
    if (typeof line.listed !== 'number') return []
    return {
      name,
      state: LINE_STATES[text(line.status) ?? ''] ?? 'running',
      done: line.listed,
      total: typeof line.expected === 'number' ? line.expected : null,
      failed: typeof line.failed === 'number' ? line.failed : 0,
    }
  })
}

const LINE_STATES: Readonly<Record<string, JobLine['state']>> = {
  waiting: 'waiting',
  running: 'running',
  complete: 'done',
  incomplete: 'incomplete',
  disabled: 'disabled',
  failed: 'failed',
}

/** Everything that is counted, over all lines. */
function countsOf({ progress }: JobRow): Record<string, number> {
  const counts: Record<string, number> = {}
  const lines = Object.values(record(progress))
  // Bulk actions on runs keep their counts side by side, without lines.
  for (const line of lines.some((value) => typeof value === 'number') ? [progress] : lines) {
    for (const [name, value] of Object.entries(record(line))) {
      if (typeof value === 'number' && !NO_COUNTS.has(name)) counts[name] = (counts[name] ?? 0) + value
    }
  }
  return counts
}

const NO_COUNTS: ReadonlySet<string> = new Set(['expected', 'ms', 'throttledMs'])

function rateOf({ started_at, updated_at }: JobRow, { done }: JobSummary): number | null {
  const seconds = (updated_at.getTime() - started_at.getTime()) / 1_000
  return done && seconds > 0 ? done / seconds : null
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
