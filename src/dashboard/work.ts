/**
 * Starts, pauses and aborts jobs. They run in this process and are recorded in rows, so that any process can show and
 * stop them; the user who started one need not stay.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ResourceName } from '../clerk/catalogue.ts'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ClerkSync, RunFilter } from '../index.ts'
import { type Pace, type ReplayTask, replayAsJob } from './replay-job.ts'

/** What a job is to do. */
export type Task =
  | ({ readonly kind: 'replay' } & ReplayTask)
  | { readonly kind: 'retry' | 'discard'; readonly filter: RunFilter; readonly pace: Pace }
  | {
      readonly kind: 'backfill' | 'reconcile'
      readonly resources: readonly ResourceName[] | undefined
      readonly dryRun: boolean
    }

/** A job shows itself when Clerk has answered once, or waits some ten seconds for one whose process was killed. */
const APPEARS_WITHIN_MS = 30_000
const LOOK_EVERY_MS = 50
/** A stopped job ends after its current page or batch. */
const STOPS_WITHIN_MS = 5_000

interface Running {
  readonly controller: AbortController
  readonly ended: Promise<unknown>
}

export class Work {
  readonly #sync: ClerkSync
  readonly #table: string
  readonly #running = new Map<string, Running>()

  constructor(sync: ClerkSync) {
    this.#sync = sync
    this.#table = qualify(sync.location.schema, 'jobs')
  }

  /**
   * Starts a job and returns its id.
   * @throws {ClerkSyncError} `job_running`, `api_…`, `database_…`
   */
  async start(task: Task): Promise<string> {
    const startedAt = await this.#databaseTime()
    const controller = new AbortController()
    const ended = this.#run(task, controller.signal)
    // The job's row says how it ended; this rejects only if the job cannot begin.
    ended.catch(() => undefined)
    const id = await Promise.race([this.#appearance(task.kind, startedAt), ended.then(() => undefined)])
    const found = id ?? (await this.#find(task.kind, startedAt))
    if (found === undefined) throw new ClerkSyncError('job_running', task.kind)
    this.#running.set(found, { controller, ended })
    void ended.catch(() => undefined).finally(() => this.#running.delete(found))
    return found
  }

  /**
   * Stops a job, wherever it runs: what is done stays.
   * @param error is kept with it: why it was stopped
   * @throws {ClerkSyncError} `job_over`
   */
  async stop(id: string, error: { readonly code: string; readonly message: string }): Promise<void> {
    const running = this.#running.get(id)
    running?.controller.abort()
    await Promise.race([running?.ended.catch(() => undefined), sleep(running ? STOPS_WITHIN_MS : 0)])
    const stopped = await query(
      this.#sync.database,
      `update ${this.#table} set status = 'aborted', error = $2::jsonb, updated_at = clock_timestamp(),
         finished_at = coalesce(finished_at, clock_timestamp())
       where id = $1 and status in ('running', 'aborted') returning id`,
      [id, JSON.stringify(error)],
    )
    if (stopped.length === 0) throw new ClerkSyncError('job_over', id)
  }

  /**
   * The position up to which a replay got; null if unknown.
   * @throws {ClerkSyncError} `job_over`, if another job continues it
   */
  async doneUntil(id: string): Promise<string | null> {
    const [row] = await query<{ doneUntil: string | null; isResumed: boolean | null }>(
      this.#sync.database,
      `select checkpoint ->> 'doneUntil' as "doneUntil", error ->> 'code' = 'resumed' as "isResumed"
       from ${this.#table} where id = $1`,
      [id],
    )
    if (row?.isResumed) throw new ClerkSyncError('job_over', id)
    return row?.doneUntil ?? null
  }

  /** Records that another job continues this one. */
  async handOver(id: string, message: string): Promise<void> {
    await query(
      this.#sync.database,
      `update ${this.#table} set status = 'aborted', error = $2::jsonb where id = $1 and status <> 'running'`,
      [id, JSON.stringify({ code: 'resumed', message })],
    )
  }

  #run(task: Task, signal: AbortSignal): Promise<unknown> {
    const { handlers } = this.#sync
    switch (task.kind) {
      case 'backfill':
        return this.#sync.backfill({ resources: task.resources, dryRun: task.dryRun, signal })
      case 'reconcile':
        return this.#sync.reconcile({ resources: task.resources, dryRun: task.dryRun, signal })
      case 'retry':
        return handlers.retry(task.filter, { ...task.pace, signal })
      case 'discard':
        return handlers.discard(task.filter, { ...task.pace, signal })
      case 'replay':
        return replayAsJob(this.#sync, task, signal)
    }
  }

  async #appearance(kind: string, since: string): Promise<string | undefined> {
    const deadline = Date.now() + APPEARS_WITHIN_MS
    while (Date.now() < deadline) {
      const id = await this.#find(kind, since)
      if (id !== undefined) return id
      await sleep(LOOK_EVERY_MS)
    }
    return undefined
  }

  async #find(kind: string, since: string): Promise<string | undefined> {
    const [row] = await query<{ id: string }>(
      this.#sync.database,
      `select id from ${this.#table} where kind = $1 and started_at >= $2::timestamptz
       order by started_at desc limit 1`,
      [kind, since],
    )
    return row?.id
  }

  async #databaseTime(): Promise<string> {
    const [row] = await query<{ now: string }>(this.#sync.database, 'select clock_timestamp()::text as now')
    return (row as { now: string }).now
  }
}
