/** Small batches with as long a rest between them, so that maintenance takes no more than half of a connection. */

import { setTimeout as sleep } from 'node:timers/promises'

export interface PaceOptions {
  readonly maxSeconds: number
  readonly signal?: AbortSignal | undefined
  /** Whether this process may still work. */
  readonly renew: () => Promise<boolean>
}

/** A transaction this small holds up nobody. */
const BATCH = 1_000
const MAX_REST_MS = 1_000

export class Pace {
  readonly #deadline: number
  readonly #options: PaceOptions
  #isComplete = true

  constructor(options: PaceOptions) {
    this.#options = options
    this.#deadline = performance.now() + options.maxSeconds * 1_000
  }

  /** Nothing was left for the next maintenance. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  leaveRest(): void {
    this.#isComplete = false
  }

  /** False once the time is up, somebody has stopped it, or the lease was lost. */
  async mayGoOn(): Promise<boolean> {
    const { signal, renew } = this.#options
    if (performance.now() < this.#deadline && !signal?.aborted && (await renew())) return true
    this.#isComplete = false
    return false
  }

  /**
   * Repeats a batch until it finds less than it may take.
   * @returns false if it has to stop before
   */
  async repeat(batch: (most: number) => Promise<number>): Promise<boolean> {
    while (await this.mayGoOn()) {
      const startedAt = performance.now()
      if ((await batch(BATCH)) < BATCH) return true
      await sleep(Math.min(performance.now() - startedAt, MAX_REST_MS))
    }
    return false
  }
}
