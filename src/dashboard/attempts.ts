/** Slows down guessing of the token. Counted in memory, per process. */

import { ClerkSyncError } from '../errors.ts'

const WINDOW_MS = 60_000
const MAX_PER_CLIENT = 5
/**
 * Bounds memory: beyond this many addresses the oldest are dropped, which gives an attacker with more addresses more
 * attempts.
 */
const MAX_CLIENTS = 10_000

export class Attempts {
  readonly #now: () => number
  readonly #failures = new Map<string, number>()
  #windowEnd = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Each client's failures count for that client alone: nobody is locked out by another's. Without a client there is
   * nothing to count by.
   * @throws {ClerkSyncError} `too_many_attempts`
   */
  admit(client: string | undefined): void {
    this.#turnOver()
    if (client !== undefined && (this.#failures.get(client) ?? 0) >= MAX_PER_CLIENT)
      throw new ClerkSyncError('too_many_attempts')
  }

  fail(client: string | undefined): void {
    if (client === undefined) return
    this.#turnOver()
    const failures = (this.#failures.get(client) ?? 0) + 1
    this.#failures.delete(client)
    this.#failures.set(client, failures)
    if (this.#failures.size > MAX_CLIENTS) this.#failures.delete(this.#failures.keys().next().value as string)
  }

  #turnOver(): void {
    if (this.#now() < this.#windowEnd) return
    this.#windowEnd = this.#now() + WINDOW_MS
    this.#failures.clear()
  }
}
