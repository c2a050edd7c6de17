/**
 * Shares a fixed number of connections among kinds of work ("lanes"), so that no kind can use up what the others need.
 *
 * A lane may always use the connections reserved for it, and more, up to its limit, as long as the other reservations
 * stay free. Waiting callers are served in order of arrival.
 */

import { ClerkSyncError } from '../errors.ts'

export interface LaneRule {
  /** So many at a time at most. */
  readonly limit: number
  /** So many are kept for this lane, whatever the others want. */
  readonly reserved: number
}

interface Waiting<Name> {
  readonly lane: Name
  readonly enter: () => void
}

/** What waits for a connection for longer than this has something wrong in front of it. Svix waits 15 seconds. */
const MAX_WAIT_MS = 10_000

export class Lanes<Name extends string> {
  readonly #rules: Readonly<Record<Name, LaneRule>>
  readonly #total: number
  readonly #busy = new Map<Name, number>()
  readonly #waiting = new Set<Waiting<Name>>()

  constructor(total: number, rules: Readonly<Record<Name, LaneRule>>) {
    this.#total = total
    this.#rules = rules
  }

  /** To be followed by one `leave`. @throws {ClerkSyncError} `connections_busy` */
  async enter(lane: Name): Promise<void> {
    if (!this.#hasRoom(lane)) return this.#wait(lane)
    this.#count(lane, 1)
  }

  leave(lane: Name): void {
    this.#count(lane, -1)
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(waiting.lane)) continue
      this.#waiting.delete(waiting)
      this.#count(waiting.lane, 1)
      waiting.enter()
    }
  }

  /** How many are in, and how many wait. */
  state(lane: Name): { busy: number; waiting: number } {
    const waiting = [...this.#waiting].filter((each) => each.lane === lane).length
    return { busy: this.#busyIn(lane), waiting }
  }

  async #wait(lane: Name): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { lane, enter: resolve }
    this.#waiting.add(waiting)
    const late = setTimeout(() => {
      this.#waiting.delete(waiting)
      reject(new ClerkSyncError('connections_busy', `${lane}, ${this.#total} in all`))
    }, MAX_WAIT_MS)
    await promise.finally(() => clearTimeout(late))
  }

  #hasRoom(lane: Name): boolean {
    const { limit, reserved } = this.#rules[lane]
    const own = this.#busyIn(lane)
    return own < limit && (own < reserved || this.#unreserved() > 0)
  }

  /** Connections that are neither in use nor kept for a lane. */
  #unreserved(): number {
    const names = Object.keys(this.#rules) as Name[]
    const taken = names.map((name) => Math.max(this.#busyIn(name), this.#rules[name].reserved))
    return this.#total - taken.reduce((sum, count) => sum + count, 0)
  }

  #busyIn(lane: Name): number {
    return this.#busy.get(lane) ?? 0
  }

  #count(lane: Name, by: 1 | -1): void {
    this.#busy.set(lane, this.#busyIn(lane) + by)
  }
}
