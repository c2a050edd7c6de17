/**
 * Group commit: while transactions are in flight the next batch gathers, and then commits as one.
 *
 * An idle server commits a single item at once, a busy one hundreds together: a batch begins beside another once it is as
 * large as batches are of late, or once the other has taken its part of the time that commits take. Nobody waits longer than
 * the deadline, whatever the database does; who would have to is refused at once, before any work that would be repeated.
 */

import { ClerkSyncError } from '../errors.ts'

export interface GatherLimits {
  /** How many items one transaction takes. */
  readonly maxItems: number
  /** How many commits run at the same time. Their items are independent: any may be committed first. */
  readonly maxCommits: number
  /** How long an item may wait for its commit, in milliseconds. */
  readonly deadlineMs: number
}

/** Called with the result of an item that was committed before the others of its batch, by its place among them. */
export type Resolve<Result> = (at: number, result: Result) => void

/**
 * Takes items in order and returns their results in the same order. If it fails, items that were already resolved are
 * committed.
 */
type Commit<Item, Result> = (items: readonly Item[], resolve: Resolve<Result>) => Promise<readonly Result[]>

interface Waiting<Item, Result> {
  readonly item: Item
  readonly timer: NodeJS.Timeout
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** A commit that others wait for. */
interface Flight<Item, Result> {
  readonly batch: readonly Waiting<Item, Result>[]
  isSlow: boolean
}

/** The fixed cost of a transaction equals that of this many events: smaller batches wait for the next one. */
const WORTHWHILE = 32
/** A commit that takes longer waits for a network or a disk, which another one beside it does not make slower. */
const SLOW_MS = 8
/** However slow commits are of late: one may be stuck, and others must pass it. */
const MAX_SLOW_MS = 100
/** How long a batch may grow before it begins, while every turn of the event loop finds more of it in the sockets. */
const GROWING_MS = 2
/** A commit that outlives the deadline no longer blocks the others, but at most this many may pile up. */
const MAX_OVERDUE = 2
/** A transaction of very large events is cut here, whatever their number. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024

/** How much the latest commit counts among those before it. */
const RECENCY = 0.2

export class Gather<Item, Result> {
  readonly #commit: Commit<Item, Result>
  readonly #sizeOf: (item: Item) => number
  readonly #keyOf: (item: Item) => string | null
  readonly #limits: GatherLimits
  #queue: Waiting<Item, Result>[] = []
  /** The commits that the next batch gathers behind. */
  readonly #current = new Set<Flight<Item, Result>>()
  /** What the current commits are about. */
  readonly #busy = new Set<string | null>()
  /** Commits under way, including those past their deadline. */
  #flights = 0
  /** How long a commit takes of late, in milliseconds. */
  #commitMs = 0
  /** How many items a commit has of late. */
  #commitItems = 0
  /** How many waited in the last turn of the event loop, and since when one after the other found more. */
  #seen = 0
  #growingSince = 0
  #closing: PromiseWithResolvers<void> | undefined
  #starting: NodeJS.Immediate | undefined

  /**
   * @param keyOf what an item changes: of two commits at the same time about one thing, the database would let one wait, and
   *   if the thing is new, fail
   */
  constructor(
    commit: Commit<Item, Result>,
    sizeOf: (item: Item) => number,
    limits: GatherLimits,
    keyOf: (item: Item) => string | null = () => null,
  ) {
    this.#commit = commit
    this.#sizeOf = sizeOf
    this.#limits = limits
    this.#keyOf = keyOf
  }

  /**
   * Resolves once the item is committed.
   *
   * After `database_timeout` the item may or may not be committed: a transaction under way is not called back.
   * @throws {ClerkSyncError} `shutting_down`, `overloaded`, `database_timeout`, or what the commit failed with
   */
  async submit(item: Item): Promise<Result> {
    if (this.#closing) throw new ClerkSyncError('shutting_down')
    if (this.#expectedWaitMs() > this.#limits.deadlineMs) throw new ClerkSyncError('overloaded')
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const timer = setTimeout(() => this.#giveUp(waiting), this.#limits.deadlineMs)
    const waiting = { item, timer, resolve, reject }
    const count = this.#queue.push(waiting)
    if (count === 1 || count === this.#worthwhile) this.#startSoon()
    return promise
  }

  /** How many items wait for a commit to begin. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Refuses new items and resolves when the last commit has ended. */
  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers()
    this.#resolveIfIdle()
    return this.#closing.promise
  }

  #giveUp(waiting: Waiting<Item, Result>): void {
    const at = this.#queue.indexOf(waiting)
    if (at >= 0) this.#queue.splice(at, 1)
    waiting.reject(new ClerkSyncError('database_timeout'))
    this.#resolveIfIdle()
  }

  /** Of an item that comes now: the batches before it, and its own. */
  #expectedWaitMs(): number {
    const { maxItems, maxCommits } = this.#limits
    const before = Math.floor(this.#queue.length / maxItems) / maxCommits
    return this.#queue.length === 0 ? 0 : (before + 1) * this.#commitMs
  }

  /** With fewer deliveries, one larger batch is cheaper than a second one beside the first. */
  get #worthwhile(): number {
    return Math.min(this.#limits.maxItems, Math.max(WORTHWHILE, Math.round(this.#commitItems)))
  }

  /** Not at once: what this turn of the event loop finds in the sockets joins the batch. */
  #startSoon(): void {
    if (this.#starting) return
    this.#seen = 0
    this.#growingSince = performance.now()
    this.#starting = setImmediate(() => this.#start())
  }

  #start(): void {
    if (this.#isGrowing()) {
      this.#starting = setImmediate(() => this.#start())
      return
    }
    this.#starting = undefined
    while (this.#queue.length > 0 && this.#hasRoom()) {
      const batch = this.#takeBatch()
      // All of it is about what is being committed.
      if (batch.length === 0) return
      this.#launch({ batch, isSlow: false })
    }
  }

  #isGrowing(): boolean {
    const { length } = this.#queue
    const isMore = length > this.#seen && length < this.#worthwhile
    this.#seen = length
    return isMore && performance.now() - this.#growingSince < GROWING_MS
  }

  /** Beside a commit under way another one begins only if that is worth it, or if the one under way is slow. */
  #hasRoom(): boolean {
    const { maxCommits } = this.#limits
    if (this.#current.size >= maxCommits || this.#flights >= maxCommits + MAX_OVERDUE) return false
    return this.#queue.length >= this.#worthwhile || [...this.#current].every(({ isSlow }) => isSlow)
  }

  #launch(flight: Flight<Item, Result>): void {
    this.#current.add(flight)
    for (const { item } of flight.batch) this.#busy.add(this.#keyOf(item))
    this.#flights++
    // Commits that are slow by nature begin at equal distances.
    const distance = this.#commitMs / this.#limits.maxCommits
    const slowMs = Math.min(MAX_SLOW_MS, Math.max(SLOW_MS, distance))
    const slow = setTimeout(() => {
      flight.isSlow = true
      this.#startSoon()
    }, slowMs)
    const overdue = setTimeout(() => this.#moveOn(flight), this.#limits.deadlineMs)
    void this.#run(flight.batch).finally(() => {
      clearTimeout(slow)
      clearTimeout(overdue)
      this.#flights--
      this.#moveOn(flight)
    })
  }

  #moveOn(flight: Flight<Item, Result>): void {
    if (this.#current.delete(flight))
      for (const { item } of flight.batch) this.#busy.delete(this.#keyOf(item))
    this.#startSoon()
    this.#resolveIfIdle()
  }

  #resolveIfIdle(): void {
    if (this.#queue.length === 0 && this.#flights === 0) this.#closing?.resolve()
  }

  /** What waits is divided among the commits that may run now: the database works on one while this process writes the next. */
  #share(): number {
    const { maxItems, maxCommits } = this.#limits
    const free = Math.max(1, maxCommits - this.#current.size)
    return Math.min(maxItems, Math.max(this.#worthwhile, Math.ceil(this.#queue.length / free)))
  }

  #takeBatch(): Waiting<Item, Result>[] {
    const share = this.#share()
    const batch: Waiting<Item, Result>[] = []
    const left: Waiting<Item, Result>[] = []
    let bytes = 0
    for (const waiting of this.#queue) {
      const size = this.#sizeOf(waiting.item)
      const isFull = batch.length === share || (batch.length > 0 && bytes + size > MAX_BATCH_BYTES)
      if (isFull || this.#isBusy(waiting.item)) {
        left.push(waiting)
      } else {
        batch.push(waiting)
        bytes += size
      }
    }
    this.#queue = left
    return batch
  }

  #isBusy(item: Item): boolean {
    const key = this.#keyOf(item)
    return key !== null && this.#busy.has(key)
  }

  async #run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const startedAt = performance.now()
    try {
      const results = await this.#commit(
        batch.map(({ item }) => item),
        (at, result) => batch[at]?.resolve(result),
      )
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as Result)
      })
    } catch (error) {
      // Items that were already resolved have their answer.
      for (const waiting of batch) waiting.reject(error)
    } finally {
      for (const waiting of batch) clearTimeout(waiting.timer)
      this.#commitMs += (performance.now() - startedAt - this.#commitMs) * RECENCY
      this.#commitItems += (batch.length - this.#commitItems) * RECENCY
    }
  }
}
