/** What removes data by itself: the erasure of users who are due, then retention. For a server, and for a drain once an hour. */

import type { Config } from './config.ts'
import type { Database } from './database/database.ts'
import { available, messageOf } from './database/failure.ts'
import type { Eraser } from './erasure/eraser.ts'
import { ClerkSyncError } from './errors.ts'
import { type MaintainOptions, type MaintenanceResult, maintain } from './maintenance/maintenance.ts'

/** Between the maintenance of one drain and the next. */
const REST_MS = 3_600_000
const DEFAULT_MAX_SECONDS = 300

type HousekeepingConfig = Pick<Config, 'retention' | 'eraseAfterDays' | 'log'>

export class Housekeeping {
  readonly #database: Database
  readonly #eraser: Eraser
  readonly #config: HousekeepingConfig
  #maintainedAt = Number.NEGATIVE_INFINITY

  constructor(database: Database, eraser: Eraser, config: HousekeepingConfig) {
    this.#database = database
    this.#eraser = eraser
    this.#config = config
  }

  /**
   * Null if another process does it.
   * @param restMs how long ago the last maintenance of any process must have ended, in milliseconds
   */
  async maintain(options: MaintainOptions, restMs?: number): Promise<MaintenanceResult | null> {
    await this.#eraseDue(options)
    const result = await available(maintain(this.#database, this.#config.retention, options, restMs))
    const removed = Object.entries(result?.forgotten ?? {}).filter(([, { rows }]) => rows > 0)
    const counts = Object.fromEntries(removed.map(([kind, { rows }]) => [kind, rows]))
    if (removed.length > 0) this.#config.log.info(counts, 'removed expired data')
    return result
  }

  /** Where no server stays, drains do it once an hour. Never rejects: a failure is logged. */
  async maintainHourly(maxSeconds: number): Promise<void> {
    if (maxSeconds <= 0 || performance.now() < this.#maintainedAt + REST_MS) return
    this.#maintainedAt = performance.now()
    try {
      await this.maintain({ maxSeconds }, REST_MS)
    } catch (error) {
      this.#config.log.warn({ error: messageOf(error) }, 'maintenance failed; the next drain tries again')
      this.#maintainedAt = Number.NEGATIVE_INFINITY
    }
  }

  /** Never rejects: users who were not erased are tried again. */
  async #eraseDue({ maxSeconds = DEFAULT_MAX_SECONDS, signal: stop }: MaintainOptions): Promise<void> {
    const timeUp = AbortSignal.timeout(Math.ceil(maxSeconds * 1_000))
    const signal = stop ? AbortSignal.any([stop, timeUp]) : timeUp
    try {
      await this.#eraser.catchUp(this.#config.eraseAfterDays, signal)
    } catch (error) {
      if (signal.aborted || (error instanceof ClerkSyncError && error.code === 'job_running')) return
      this.#config.log.warn(
        { cause: messageOf(error) },
        'failed to erase users; the next maintenance tries again',
      )
    }
  }
}
