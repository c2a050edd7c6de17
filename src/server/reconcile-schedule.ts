/**
 * Reconciles on a schedule, and after a gap in events: while a server was down or its endpoint disabled, Svix may have
 * given up events.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { toUnavailable } from '../database/failure.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ClerkSync, ReconcileResult } from '../index.ts'
import { requireNumber } from '../validate.ts'

export interface ReconcileScheduleOptions {
  /** How many milliseconds lie between two reconciles. */
  readonly everyMs: number
  /** Called with each result. */
  readonly onResult?: ((result: ReconcileResult) => void) | undefined
  /** Called with the error of a run that failed. The schedule continues. */
  readonly onError?: ((error: ClerkSyncError) => void) | undefined
}

/** This long without an event before the start counts as a gap. Quiet nights are as long, but a reconcile is cheap. */
const GAP_MINUTES = 10
/** After a failure, and to notice what other servers did. */
const LONGEST_WAIT_MS = 10 * 60_000

export class ReconcileSchedule {
  readonly #sync: ClerkSync
  readonly #options: ReconcileScheduleOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #instanceId: string | null = null

  constructor(sync: ClerkSync, options: ReconcileScheduleOptions) {
    this.#sync = sync
    this.#options = options
    requireNumber('reconcile.everyMs', options.everyMs, 'positive')
  }

  start(): void {
    this.#running = this.#run().catch(() => undefined)
  }

  /** Stops the current run; the next start resumes it. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ClerkSyncError('shutting_down'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const dueInMs = await this.#dueInMs(isFirst).catch((error) => this.#fail(error))
      if (dueInMs <= 0) await this.#reconcile()
      else await sleep(Math.min(dueInMs, LONGEST_WAIT_MS), undefined, { signal })
    }
  }

  async #reconcile(): Promise<void> {
    const { signal } = this.#stopping
    try {
      const result = await this.#sync.reconcile({ signal })
      this.#options.onResult?.(result)
      if (result.status === 'complete') return
    } catch (error) {
      if (signal.aborted) return
      // Another server does it.
      if (!(error instanceof ClerkSyncError && error.code === 'job_running')) this.#fail(error)
    }
    await sleep(Math.min(this.#options.everyMs, LONGEST_WAIT_MS), undefined, { signal })
  }

  /** Nothing is due before a backfill of this instance: what a reconcile found without one would be everything. */
  async #dueInMs(isFirst: boolean): Promise<number> {
    this.#instanceId ??= await this.#sync.clerk.instanceId(this.#stopping.signal)
    const { rows } = await sql<Due>`
      select
        extract(epoch from now() - max(finished_at) filter (where status = 'complete'))::float8 * 1000 as age,
        (select max(received_at) from ${sql.id(this.#sync.location.schema, 'events')})
          < now() - ${`${GAP_MINUTES} minutes`}::interval as has_gap
      from ${sql.id(this.#sync.location.schema, 'jobs')}
      where kind in ('backfill', 'reconcile') and scope->>'dryRun' = 'false'
        and (scope->>'instanceId' is null or ${this.#instanceId}::text is null
          or scope->>'instanceId' = ${this.#instanceId})`.execute(this.#sync.database)
    const [{ age, has_gap: hasGap } = { age: null, has_gap: null }] = rows
    if (age === null) return LONGEST_WAIT_MS
    return isFirst && hasGap && age > GAP_MINUTES * 60_000 ? 0 : this.#options.everyMs - age
  }

  #fail(error: unknown): number {
    if (!this.#stopping.signal.aborted) this.#options.onError?.(toUnavailable(error))
    return LONGEST_WAIT_MS
  }
}

interface Due {
  /** How long ago the last one ended, in milliseconds. */
  readonly age: number | null
  readonly has_gap: boolean | null
}
