/**
 * Group commit: while transactions are in flight the next batch gathers, and then commits as one.
 *
 * No timer decides: an idle server commits a single item at once, a busy one hundreds together. Nobody waits longer than
 * the deadline, whatever the database does.
 */

import { ClerkSyncError } from '../errors.ts'

export interface GroupCommitLimits {
  /** How many items one transaction takes. */
  readonly maxItems: number
  /** How many commits run at the same time. Their items are independent: any may be committed first. */
  readonly maxCommits: number
  /** How long an item may wait for its commit, in milliseconds. */
  readonly deadlineMs: number
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly timer: NodeJS.Timeout
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** A commit that outlives the deadline stops holding up the others, but only so many may pile up. */
const MAX_OVERDUE = 2
/** A transaction of very large events is cut here, whatever their number. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024

export class GroupCommit<Item, Result> {
  readonly #commit: (items: readonly Item[]) => Promise<readonly Result[]>
  readonly #sizeOf: (item: Item) => number
  readonly #limits: GroupCommitLimits
  readonly #queue: Waiting<Item, Result>[] = []
  /** The commits that the next batch gathers behind. */
  readonly #current = new Set<object>()
  /** Commits under way, including those past their deadline. */
  #flights = 0
  #closing: PromiseWithResolvers<void> | undefined

  /** @param commit takes the items in order and returns their results in the same order, or fails for all of them */
  constructor(
    commit: (items: readonly Item[]) => Promise<readonly Result[]>,
    sizeOf: (item: Item) => number,
    limits: GroupCommitLimits,
  ) {
    this.#commit = commit
    this.#sizeOf = sizeOf
    this.#limits = limits
  }

  /**
   * Resolves once the item is committed.
   *
   * After `database_timeout` the item may or may not be committed: a transaction under way is not called back.
   * @throws {ClerkSyncError} `shutting_down`, `database_timeout`, or what the commit failed with
   */
  async submit(item: Item): Promise<Result> {
    if (this.#closing) throw new ClerkSyncError('shutting_down')
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const timer = setTimeout(() => this.#giveUp(waiting), this.#limits.deadlineMs)
    const waiting = { item, timer, resolve, reject }
    // Not at once: what arrived in the same turn of the event loop joins the batch.
    if (this.#queue.push(waiting) === 1) setImmediate(() => this.#start())
    return promise
  }

  /** Refuses new items and resolves when the last commit has ended. */
  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers()
    this.#settleIfIdle()
    return this.#closing.promise
  }

  #giveUp(waiting: Waiting<Item, Result>): void {
    const at = this.#queue.indexOf(waiting)
    if (at >= 0) this.#queue.splice(at, 1)
    waiting.reject(new ClerkSyncError('database_timeout'))
    this.#settleIfIdle()
  }

  #start(): void {
    while (this.#queue.length > 0 && this.#hasRoom()) this.#launch()
  }

  #hasRoom(): boolean {
    const { maxCommits } = this.#limits
    return this.#current.size < maxCommits && this.#flights < maxCommits + MAX_OVERDUE
  }

  #launch(): void {
    const flight = {}
    this.#current.add(flight)
    this.#flights++
    const overdue = setTimeout(() => this.#moveOn(flight), this.#limits.deadlineMs)
    void this.#run(this.#takeBatch()).finally(() => {
      clearTimeout(overdue)
      this.#flights--
      this.#moveOn(flight)
    })
  }

  #moveOn(flight: object): void {
    this.#current.delete(flight)
    this.#start()
    this.#settleIfIdle()
  }

  #settleIfIdle(): void {
    if (this.#queue.length === 0 && this.#flights === 0) this.#closing?.resolve()
  }

  #takeBatch(): Waiting<Item, Result>[] {
    let count = 0
    let bytes = 0
    for (const waiting of this.#queue) {
      bytes += this.#sizeOf(waiting.item)
      if (count > 0 && (count === this.#limits.maxItems || bytes > MAX_BATCH_BYTES)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#commit(batch.map(({ item }) => item))
      batch.forEach((waiting, index) => {
        waiting.resolve(results[index] as Result)
      })
    } catch (error) {
      for (const waiting of batch) waiting.reject(error)
    } finally {
      for (const waiting of batch) clearTimeout(waiting.timer)
    }
  }
}
