/** Slows down whoever guesses the token. In memory: each process has its own count, which only makes it stricter. */

import { ClerkSyncError } from '../errors.ts'

const WINDOW_MS = 60_000
/** One address may be wrong so often in a minute; all together so often, whatever addresses they make up. */
const MAX_PER_ADDRESS = 5
const MAX_IN_ALL = 50

export class Attempts {
  readonly #now: () => number
  #failures = new Map<string, number>()
  #total = 0
  #windowEnd = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** @throws {ClerkSyncError} `too_many_attempts` */
  admit(address: string): void {
    this.#turnOver()
    const isTooMuch = (this.#failures.get(address) ?? 0) >= MAX_PER_ADDRESS || this.#total >= MAX_IN_ALL
    if (isTooMuch) throw new ClerkSyncError('too_many_attempts')
  }

  fail(address: string): void {
    this.#turnOver()
    this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1)
    this.#total++
  }

  #turnOver(): void {
    if (this.#now() < this.#windowEnd) return
    this.#windowEnd = this.#now() + WINDOW_MS
    this.#failures = new Map()
    this.#total = 0
  }
}
