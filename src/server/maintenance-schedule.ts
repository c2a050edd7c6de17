/** Runs maintenance on a schedule. */

import { setTimeout as sleep } from 'node:timers/promises'
import { toUnavailable } from '../database/failure.ts'
import type { ClerkSync, ClerkSyncError } from '../index.ts'
import { requireNumber } from '../validate.ts'

export interface MaintenanceScheduleOptions {
  /**
   * How many milliseconds lie between two.
   * @default 3600000
   */
  readonly everyMs?: number | undefined
  /** Called with the error of a run that failed. The schedule continues. */
  readonly onError?: ((error: ClerkSyncError) => void) | undefined
}

/** As long as what is added up. */
const HOUR_MS = 3_600_000
/** After a start, deliveries come first. */
const FIRST_AFTER_MS = 60_000

export class MaintenanceSchedule {
  readonly #sync: ClerkSync
  readonly #everyMs: number
  readonly #onError: (error: ClerkSyncError) => void
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(
    sync: ClerkSync,
    { everyMs = HOUR_MS, onError = () => undefined }: MaintenanceScheduleOptions = {},
  ) {
    this.#sync = sync
    this.#everyMs = requireNumber('maintenance.everyMs', everyMs, 'milliseconds')
    this.#onError = onError
  }

  start(): void {
    this.#running = this.#run().catch(() => undefined)
  }

  /** Waits for one that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    await sleep(Math.min(FIRST_AFTER_MS, this.#everyMs), undefined, { signal })
    while (!signal.aborted) {
      const result = await this.#sync.maintain({ signal }).catch((error) => this.#fail(error))
      const hasMore = result?.isComplete === false
      await sleep(hasMore ? Math.min(FIRST_AFTER_MS, this.#everyMs) : this.#everyMs, undefined, { signal })
    }
  }

  #fail(error: unknown): undefined {
    if (!this.#stopping.signal.aborted) this.#onError(toUnavailable(error))
  }
}
