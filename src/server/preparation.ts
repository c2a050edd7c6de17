/** Waits for the database and prepares it before the first delivery. */

import { setTimeout as sleep } from 'node:timers/promises'
import { toUnavailable } from '../database/failure.ts'
import { ClerkSyncError, type ErrorCode } from '../errors.ts'

/** Errors that pass on their own: the database becomes available, or another process migrates it. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'database_unavailable',
  'database_timeout',
  'connections_busy',
  'database_disk_full',
  'database_read_only',
  'database_outdated',
])
const RETRY_MS = 1_000

export class Preparation {
  readonly #attempt: () => Promise<void>
  readonly #onWait: (reason: ClerkSyncError) => void
  readonly #done = Promise.withResolvers<void>()
  #reason: ClerkSyncError | undefined = new ClerkSyncError('database_preparing')

  /**
   * @param attempt everything that needs the database before the first delivery; called until it succeeds
   * @param onWait called with the reason of a failed attempt, whenever the reason changes
   */
  constructor(attempt: () => Promise<void>, onWait: (reason: ClerkSyncError) => void) {
    this.#attempt = attempt
    this.#onWait = onWait
  }

  /** Why deliveries are not accepted yet; undefined once they are. */
  get reason(): ClerkSyncError | undefined {
    return this.#reason
  }

  /** Resolves once it is done, and never if it is given up. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  /**
   * Tries until it succeeds.
   * @returns whether it did before the signal
   * @throws {ClerkSyncError} what waiting would not cure
   */
  async run(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#try()) return true
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
    return false
  }

  async #try(): Promise<boolean> {
    try {
      await this.#attempt()
      this.#reason = undefined
      this.#done.resolve()
      return true
    } catch (error) {
      const reason = toUnavailable(error)
      if (!PASSING.has(reason.code)) throw reason
      if (reason.message !== this.#reason?.message) this.#onWait(reason)
      this.#reason = reason
      return false
    }
  }
}
