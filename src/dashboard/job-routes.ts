/** Long-running jobs: counted before they start, recorded, and shown until they end. */

import type { ResourceName } from '../clerk/catalogue.ts'
import { knownTypes } from '../database/filter.ts'
import { ClerkSyncError } from '../errors.ts'
import type { EventFilter } from '../index.ts'
import { type BulkTotals, countEventsFor, countRunsFor } from '../inspect/bulk.ts'
import type { ListFilter } from '../inspect/event-list.ts'
import { getJob, listJobs } from '../inspect/jobs.ts'
import { requireResource } from '../inspect/resources.ts'
import type { BulkCount, JobDetail, JobSummary } from './api.ts'
import { ask, type Call, type Endpoints, nameIn } from './context.ts'
import { reaches } from './principal.ts'
import type { Pace } from './replay-job.ts'
import { eventFilterOf, type Fields, invalid, pageOf, runFilterOf } from './request.ts'
import type { Task } from './work.ts'

export const JOB_ROUTES: Endpoints<
  | 'GET jobs'
  | 'GET jobs/{id}'
  | 'POST jobs/count'
  | 'POST jobs'
  | 'POST jobs/{id}/pause'
  | 'POST jobs/{id}/resume'
  | 'POST jobs/{id}/abort'
> = {
  'GET jobs': ['viewer', (call) => ask(call, (reading) => listJobs(reading, pageOf(call.query)))],
  'GET jobs/{id}': ['viewer', (call) => ask(call, (reading) => getJob(reading, nameIn(call, 'id')))],
  'POST jobs/count': ['viewer', count],
  'POST jobs': ['operator', start],
  'POST jobs/{id}/pause': ['operator', (call) => stop(call, 'pause', 'paused')],
  'POST jobs/{id}/resume': ['operator', resume],
  'POST jobs/{id}/abort': ['admin', (call) => stop(call, 'abort', 'aborted')],
}

const BULK_KINDS = ['replay', 'retry', 'discard'] as const
const KINDS = [...BULK_KINDS, 'backfill', 'reconcile'] as const
const MAX_PER_SECOND = 1_000
const DEFAULT_PER_SECOND = 20

async function count(call: Call): Promise<BulkCount> {
  const kind = call.body.oneOf('kind', BULK_KINDS)
  if (kind === undefined) throw invalid('kind is missing')
  const filter = call.body.object('filter')
  const totals: BulkTotals = await ask(call, (reading) =>
    kind === 'replay'
      ? countEventsFor(reading, eventFilterOf(filter))
      : countRunsFor(reading, runFilterOf(filter)),
  )
  return { ...totals, until: earlier(filter.time('until'), totals.until) }
}

async function start(call: Call): Promise<JobSummary> {
  const task = taskOf(call)
  if (task.kind === 'discard' && !reaches(call.principal.role, 'admin')) {
    throw new ClerkSyncError('role_insufficient')
  }
  return begin(call, task, 'start_job')
}

/** Written down with the job's id, which is known once it runs. */
async function begin(call: Call, task: Task, action: string): Promise<JobSummary> {
  const { body, principal, audit, work } = call
  const reason = body.text('reason', 1_000)
  const entry = { action, target: task.kind, reason, details: { task, expected: body.raw('expected') } }
  const id = await audit.record(principal, entry, () => work.start(task))
  await audit.write(principal, { action: 'job_started', target: `jobs/${id}`, reason }, true)
  return ask(call, (reading) => getJob(reading, id))
}

function taskOf({ body }: Call): Task {
  const kind = body.oneOf('kind', KINDS)
  switch (kind) {
    case undefined:
      throw invalid('kind is missing')
    case 'backfill':
    case 'reconcile':
      return { kind, resources: resourcesOf(body), dryRun: body.boolean('dryRun') ?? false }
    case 'replay': {
      const filter = toReplay(eventFilterOf(body.object('filter')), untilOf(body))
      const expected = body.count('expected', Number.MAX_SAFE_INTEGER) ?? 0
      return { kind, filter, expected, pace: paceOf(body) }
    }
    default: {
      const filter = { ...runFilterOf(body.object('filter')), until: untilOf(body) }
      const note = kind === 'discard' ? body.required('reason', 1_000) : body.text('reason', 1_000)
      return { kind, filter, pace: { ...paceOf(body), note } }
    }
  }
}

function paceOf(body: Fields): Pace {
  return {
    perSecond: body.number('perSecond', MAX_PER_SECOND) ?? DEFAULT_PER_SECOND,
    stopAfterFailures: body.count('stopAfterFailures', 1_000),
  }
}

function untilOf(body: Fields): Date {
  const until = body.date('until')
  if (until === undefined) throw invalid('until is missing: count first, and give what the count said')
  return until
}

function resourcesOf(body: Fields): readonly ResourceName[] | undefined {
  return body.list('resources')?.map((name) => requireResource(name).table as ResourceName)
}

function toReplay({ source, handler, run, ...filter }: ListFilter, counted: Date): EventFilter {
  if (source ?? handler ?? run) throw invalid('a replay cannot be chosen by source, handler or run')
  const until = filter.until && filter.until < counted ? filter.until : counted
  // The types as they were counted: a pattern would mean unknown ones too.
  return { ...filter, types: knownTypes(filter), resources: undefined, until }
}

function stop(call: Call, action: 'pause' | 'abort', code: string): Promise<JobSummary> {
  const id = nameIn(call, 'id')
  return call.audit.record(call.principal, { action, target: `jobs/${id}` }, async () => {
    const job = await ask(call, (reading) => getJob(reading, id))
    if (!(action === 'pause' ? job.canPause : job.canAbort)) throw new ClerkSyncError('job_over', id)
    await call.work.stop(id, { code, message: `${code} by ${call.principal.name}` })
    return ask(call, (reading) => getJob(reading, id))
  })
}

/** Begins again what it was to do: a backfill goes on where it was, and of runs only those are left that still fail. */
async function resume(call: Call): Promise<JobSummary> {
  const id = nameIn(call, 'id')
  const job = await ask(call, (reading) => getJob(reading, id))
  if (job.state === 'running' || job.state === 'done') throw new ClerkSyncError('job_over', id)
  const task = taskOfScope(job, await call.work.doneUntil(id))
  if (task.kind === 'discard' && !reaches(call.principal.role, 'admin')) {
    throw new ClerkSyncError('role_insufficient')
  }
  const resumed = await begin(call, task, 'resume_job')
  if (resumed.id !== id) await call.work.handOver(id, `resumed as ${resumed.id} by ${call.principal.name}`)
  return resumed
}

type Scope = Readonly<Record<string, unknown>> & {
  readonly filter?: EventFilter
  readonly resources?: readonly ResourceName[]
  readonly pace?: Pace
}

/** Times in a stored scope are text, as in all JSON. */
function taskOfScope({ kind, scope: stored, done, total }: JobDetail, doneUntil: string | null): Task {
  const { pace = {}, ...scope } = stored as Scope
  switch (kind) {
    case 'backfill':
    case 'reconcile':
      return { kind, resources: scope.resources, dryRun: scope.dryRun === true }
    case 'replay': {
      const filter = withDates({ ...scope.filter, ...(doneUntil !== null && { since: doneUntil }) })
      return { kind, filter, expected: Math.max(0, (total.value ?? 0) - (done ?? 0)), pace }
    }
    case 'retry':
    case 'discard':
      return { kind, filter: withDates(scope), pace }
  }
  throw new ClerkSyncError('feature_unavailable', `a job of the kind ${kind} cannot be resumed here`)
}

function withDates(filter: Readonly<Record<string, unknown>>): object {
  return { ...filter, since: toDate(filter.since), until: toDate(filter.until) }
}

function toDate(time: unknown): Date | undefined {
  return typeof time === 'string' ? new Date(time) : undefined
}

function earlier(a: string | undefined, b: string): string {
  return a !== undefined && a < b ? a : b
}
