/** Runs backfills and reconciles as jobs: one resource at a time, resumable after any page. */

import type { ApiCall, ClerkApi } from '../clerk/api/client.ts'
import { isWhole } from '../clerk/api-description.ts'
import { RESOURCES, type ResourceName } from '../clerk/catalogue.ts'
import type { Privacy } from '../clerk/privacy.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { type Job, JobStore } from '../database/jobs.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Ingest } from '../ingest/ingest.ts'
import { requireNumbers } from '../validate.ts'
import { type UnreadResource, unreadOf } from './coverage.ts'
import { expire } from './expiry.ts'
import { findInstance } from './instance.ts'
import { unseenSince, wasRead } from './last-sweep.ts'
import type { Position } from './pages.ts'
import { type DriftReport, newProgress, newReport, type SweepProgress } from './progress.ts'
import { clearOldSeenIds } from './seen-ids.ts'
import { Sweep } from './sweep.ts'
import type { Task } from './task.ts'

export interface BackfillOptions {
  /**
   * What to read from Clerk.
   * @default every synced resource that Clerk lists as a whole. Clerk lists sessions, subscriptions and payment
   *   attempts only per user or statement; name them to read them
   */
  readonly resources?: readonly ResourceName[] | undefined
  /**
   * Compare only, and write nothing but the job itself.
   * @default false
   */
  readonly dryRun?: boolean | undefined
  /**
   * Start from the beginning instead of resuming an earlier run.
   * @default false
   */
  readonly restart?: boolean | undefined
  /**
   * Notify handlers of changes for which no event arrived, each by a synthetic event.
   * @default false for a backfill; true for a reconcile of a resource that was read as a whole before, because the
   *   first full read would notify handlers of every existing row
   */
  readonly handlers?: boolean | undefined
  /** Stops after the current page when aborted; the next run resumes there. */
  readonly signal?: AbortSignal | undefined
  /** Called after every page. */
  readonly onProgress?: ((progress: SweepsProgress) => void) | undefined
}

export interface ReconcileOptions extends BackfillOptions {
  /**
   * Compare everything. By default only users changed since the last reconcile are compared, unless Clerk's total shows
   * that others were deleted. A dry run, and one reconcile a day, are always full.
   * @default false
   */
  readonly full?: boolean | undefined
  /**
   * How many rows of a resource may be found deleted in Clerk.
   * @default 20, or a quarter of the rows if that is more
   */
  readonly maxDeletions?: number | undefined
}

/** The progress of a backfill or reconcile, by resource. */
export interface SweepsProgress {
  readonly jobId: string
  /** Whether it resumed an earlier run. */
  readonly isResumed: boolean
  readonly resources: Readonly<Record<string, Readonly<SweepProgress>>>
}

/** The result of a backfill. */
export interface BackfillResult extends SweepsProgress {
  /**
   * `complete` only if everything that Clerk lists was read and written; see each resource for what is missing. A
   * backfill that Clerk's API interrupted is `failed`, and the next one resumes it.
   */
  readonly status: 'complete' | 'incomplete' | 'failed'
}

/** The result of a reconcile, with the differences it found. */
export interface ReconcileResult extends BackfillResult {
  /** What differed from Clerk; repaired, unless it was a dry run. */
  readonly drift: DriftReport
  /** How many sessions and invitations were marked as expired. */
  readonly expired: number
  /** The synced tables that it did not read, because Clerk has no complete list of them. */
  readonly unread: readonly UnreadResource[]
}

export interface SweepsOptions {
  readonly database: Database
  readonly ledger: Ingest
  readonly api: ClerkApi
  /** The tables that are kept. */
  readonly resources: ReadonlySet<string>
  /** Undefined if everything is stored. */
  readonly privacy: Privacy | undefined
  readonly instanceIds: ReadonlySet<string>
}

/** What is kept of a job between runs. */
interface Memory {
  readonly positions: Record<string, Position | null>
  readonly progress: Record<string, SweepProgress>
  readonly report: DriftReport
}

export class Sweeps {
  readonly #options: SweepsOptions
  readonly #jobs: JobStore

  constructor(options: SweepsOptions) {
    this.#options = options
    const { queries, schema, telemetry } = options.database
    this.#jobs = new JobStore(queries, schema, telemetry)
  }

  /** @throws {ClerkSyncError} `job_running`, `api_…`, `database_…`; the signal's reason */
  async backfill(options: BackfillOptions): Promise<BackfillResult> {
    const { drift: _, expired: __, unread: ___, ...result } = await this.#run('backfill', options)
    return result
  }

  /** @throws {ClerkSyncError} as {@link backfill} */
  reconcile(options: ReconcileOptions): Promise<ReconcileResult> {
    return this.#run('reconcile', options)
  }

  async #run(kind: 'backfill' | 'reconcile', options: ReconcileOptions): Promise<ReconcileResult> {
    requireNumbers(options, { maxDeletions: 'limit' })
    const { dryRun = false, restart: isFresh, signal } = options
    const resources = this.#choose(options.resources)
    // Before the job begins, so that it resumes no job of another instance.
    const instanceId = await findInstance(this.#options.api, this.#options.instanceIds, { signal })
    const tables = resources.map(({ table }) => table)
    const scope = { resources: tables, dryRun, full: options.full ?? false, instanceId }
    const job = await this.#jobs.begin({ kind, scope, isFresh, signal })
    const run = new Run({ ...this.#options, instanceId }, job, kind, resources, options)
    return run.finish()
  }

  /** Those that Clerk lists, in the catalogue's order: parents first. */
  #choose(names: readonly ResourceName[] | undefined): Resource[] {
    const chosen = names === undefined ? undefined : new Set<string>(names)
    const kept = [...RESOURCES.values()].filter(({ table }) => this.#options.resources.has(table))
    if (chosen === undefined) return kept.filter(({ api }) => api?.lists.some(isWhole))
    const listed = kept.filter(({ table, api }) => chosen.has(table) && api !== undefined)
    if (listed.length === chosen.size) return listed
    const others = [...chosen].filter((name) => !listed.some(({ table }) => table === name))
    throw new ClerkSyncError(
      'option_invalid',
      `Clerk does not list, or you do not keep: ${others.join(', ')}`,
    )
  }
}

/** Errors of one resource that do not keep the others from being read. */
const LOCAL_ERRORS: readonly string[] = ['api_unavailable', 'api_throttled', 'api_refused', 'list_shrunken']

interface RunParts extends SweepsOptions {
  /** The Clerk instance that is read, if it is known. */
  readonly instanceId: string | null
}

/** One run of a job. */
class Run {
  readonly #parts: RunParts
  readonly #job: Job
  readonly #kind: 'backfill' | 'reconcile'
  readonly #resources: readonly Resource[]
  readonly #options: ReconcileOptions
  readonly #memory: Memory
  readonly #signal: AbortSignal

  constructor(
    parts: RunParts,
    job: Job,
    kind: 'backfill' | 'reconcile',
    resources: readonly Resource[],
    options: ReconcileOptions,
  ) {
    this.#parts = parts
    this.#job = job
    this.#kind = kind
    this.#resources = resources
    this.#options = options
    this.#memory = remember(job, resources)
    this.#signal = options.signal ? AbortSignal.any([options.signal, job.lost]) : job.lost
  }

  async finish(): Promise<ReconcileResult> {
    try {
      await this.#sweepAll()
      const expired = await this.#expire()
      const status = statusOf(this.#kind, Object.values(this.#memory.progress))
      await this.#job.end(status, this.#state)
      const unread = unreadOf(this.#parts.resources, new Set(this.#resources.map(({ table }) => table)))
      return { ...this.#progress, status, drift: this.#memory.report, expired, unread }
    } catch (error) {
      const isStopped = this.#options.signal?.aborted === true
      // A run that lost its job must not end it.
      if (!this.#job.lost.aborted) {
        await this.#job.end(isStopped ? 'aborted' : 'failed', this.#state, isStopped ? undefined : error)
      }
      throw error
    }
  }

  async #sweepAll(): Promise<void> {
    const { queries, schema } = this.#parts.database
    if (this.#kind === 'reconcile') await clearOldSeenIds(queries, schema)
    for (const resource of this.#resources) {
      const progress = this.#memory.progress[resource.table] as SweepProgress
      // Completed by an earlier run.
      if (progress.status !== 'complete' && progress.status !== 'disabled') {
        await this.#sweep(resource, progress)
      }
    }
  }

  async #sweep(resource: Resource, progress: SweepProgress): Promise<void> {
    const [startedAt, msBefore] = [performance.now(), progress.ms]
    const call: ApiCall = { signal: this.#signal, meter: progress }
    const onPage = async (next: Position | null) => {
      this.#memory.positions[resource.table] = next
      progress.ms = msBefore + Math.round(performance.now() - startedAt)
      await this.#job.save(this.#state)
      this.#options.onProgress?.(this.#progress)
    }
    const { handlers = await this.#mayNotify(resource) } = this.#options
    const refreshes = await this.#mayNotify(resource)
    const sweep = new Sweep({ ...this.#task(call, handlers), refreshes }, resource, progress, onPage)
    progress.status = 'running'
    progress.error = null
    try {
      const from = this.#memory.positions[resource.table] ?? null
      const since = from === null ? await this.#unseenSince(resource) : null
      if (since === null || !(await sweep.runLatest(since))) await sweep.run(from)
    } catch (error) {
      if (!(error instanceof ClerkSyncError)) throw error
      if (error.code !== 'api_feature_off' && !LOCAL_ERRORS.includes(error.code)) throw error
      progress.status = error.code === 'api_feature_off' ? 'disabled' : 'failed'
      progress.error = { code: error.code, message: error.message }
    }
    progress.ms = msBefore + Math.round(performance.now() - startedAt)
    await this.#job.save(this.#state)
    this.#options.onProgress?.(this.#progress)
  }

  /** Null to compare everything. */
  async #unseenSince({ table }: Resource): Promise<Date | null> {
    const { full = false, dryRun = false } = this.#options
    const { instanceId, database } = this.#parts
    if (this.#kind === 'backfill' || full || dryRun) return null
    return unseenSince(database.queries, database.schema, table, instanceId)
  }

  async #mayNotify({ table }: Resource): Promise<boolean> {
    const { instanceId, database } = this.#parts
    return this.#kind === 'reconcile' && wasRead(database.queries, database.schema, table, instanceId)
  }

  /** By Clerk's clock at its last answer. */
  async #expire(): Promise<number> {
    const { database, resources } = this.#parts
    const times = Object.values(this.#memory.progress).flatMap(({ startedAt }) => startedAt ?? [])
    const now = times.sort().at(-1)
    if (this.#kind === 'backfill' || this.#options.dryRun || now === undefined) return 0
    const kept = [...RESOURCES.values()].filter(({ table }) => resources.has(table))
    return expire(database.queries, database.schema, kept, this.#job.id, new Date(now))
  }

  #task(call: ApiCall, notifiesHandlers: boolean): Omit<Task, 'refreshes'> {
    const { database, ledger, api, resources, privacy, instanceId } = this.#parts
    const { dryRun = false, maxDeletions = null } = this.#options
    return {
      jobId: this.#job.id,
      api,
      call,
      database: database.queries,
      schema: database.schema,
      ledger,
      resources,
      privacy,
      instanceId,
      isReconcile: this.#kind === 'reconcile',
      notifiesHandlers,
      writes: !dryRun,
      maxDeletions,
      report: this.#memory.report,
    }
  }

  get #state() {
    const { positions, progress, report } = this.#memory
    return { checkpoint: positions, progress, report }
  }

  get #progress(): SweepsProgress {
    return { jobId: this.#job.id, isResumed: this.#job.resumed !== null, resources: this.#memory.progress }
  }
}

function remember({ resumed }: Job, resources: readonly Resource[]): Memory {
  if (resumed) {
    return {
      positions: (resumed.checkpoint ?? {}) as Memory['positions'],
      progress: { ...fresh(resources), ...(resumed.progress as Memory['progress']) },
      report: (resumed.report ?? newReport()) as DriftReport,
    }
  }
  return { positions: {}, progress: fresh(resources), report: newReport() }
}

function fresh(resources: readonly Resource[]): Memory['progress'] {
  return Object.fromEntries(resources.map(({ table }) => [table, newProgress()]))
}

/** A failed backfill is resumed. A reconcile is not: rows compared an hour ago must be compared again. */
function statusOf(
  kind: 'backfill' | 'reconcile',
  sweeps: readonly SweepProgress[],
): BackfillResult['status'] {
  if (kind === 'backfill' && sweeps.some(({ status }) => status === 'failed')) return 'failed'
  return sweeps.every(({ status }) => status === 'complete' || status === 'disabled')
    ? 'complete'
    : 'incomplete'
}
