/**
 * The way of a delivery after its verification, from top to bottom:
 *
 *   gather   deliveries that arrive while a commit is under way go into the next one together
 *   read     flight 1: begin, recorded ids, locks, stored rows, tombstones of parents
 *   decide   pure: duplicates, the guard, cascades, outcomes, runs of handlers
 *   write    flight 2: every statement and the commit
 *   wake     after the commit: hints, each of which may get lost
 *
 * Replays and what the Backend API showed go the same way, beside the deliveries.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { DeletionPolicies } from '../clerk/deletion.ts'
import type { Delivery } from '../clerk/event.ts'
import type { BatchLimits, BeginBatch } from '../database/batch.ts'
import type { Database } from '../database/database.ts'
import { failureKind, isTaken, isTimeLimit, messageOf, toUnavailable } from '../database/failure.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'
import { decideDeliveries, decideObservations, decideReplay } from './decide.ts'
import { Defect, orRollBack } from './defect.ts'
import { type Admission, type Entry, type RecordedDelivery, readEntry, refused } from './entry.ts'
import { Gather, type GatherLimits, type Resolve } from './gather.ts'
import type { HandlerPort } from './handler-port.ts'
import type { Observation } from './observation.ts'
import type { Plan } from './plan.ts'
import { type Questions, read, type Stored } from './read.ts'
import { createStatements, type Statements } from './statements.ts'
import type { Notification } from './synthetic-event.ts'
import type { Receipt, Verdict } from './verdict.ts'
import { write } from './write.ts'

/** Called after a commit with what was left for later. */
export interface Afterwards {
  /** Rows wait for Clerk to be asked for them. */
  readonly verify: () => void
  /** A deletion waits for a job to continue it. */
  readonly cascade: () => void
}

/** How a batch is committed in one transaction, and what happens to an item that cannot be part of it. */
interface Work<Item, Result> {
  readonly begin: BeginBatch
  ask(items: readonly Item[]): Questions
  decide(items: readonly Item[], stored: Stored): { plan: Plan; results: readonly Result[] }
  /** The item, to be recorded as failed; undefined if only its result says so. */
  refuse(item: Item, error: unknown): { item: Item } | { result: Result }
}

/** Deadlocks and races between servers end quickly; what still collides after this many tries is left to Svix. */
const MAX_TRIES = 6
/** So many items of a batch that was refused run at the same time, each in a transaction of its own. */
const ALONE_AT_A_TIME = 2
/** More than a batch has: what takes longer alone is what made it slow. Both together end before Svix stops waiting. */
const ALONE: Partial<BatchLimits> = { statementTimeoutMs: 6_000 }

export class Ingest {
  readonly #admission: Admission
  readonly #deletion: DeletionPolicies
  readonly #handlers: HandlerPort
  readonly #afterwards: Afterwards
  readonly #statements: Statements
  readonly #gather: Gather<Entry, Receipt>
  readonly #deliveries: Work<Entry, Receipt>
  readonly #replays: Work<Entry, Receipt>
  readonly #beginRepairs: BeginBatch
  readonly #telemetry: Telemetry

  constructor(
    database: Database,
    config: Admission & { readonly deletion: DeletionPolicies },
    handlers: HandlerPort,
    limits: Omit<GatherLimits, 'maxCommits'>,
    afterwards: Afterwards,
  ) {
    this.#admission = config
    this.#deletion = config.deletion
    this.#handlers = handlers
    this.#afterwards = afterwards
    this.#statements = createStatements(database.schema, config.deletion)
    this.#beginRepairs = database.beginRepairs
    this.#telemetry = database.telemetry
    this.#deliveries = this.#recording(database.beginDeliveries, decideDeliveries)
    this.#replays = this.#recording(database.beginRepairs, decideReplay)
    this.#gather = new Gather(
      (entries, resolve) => this.#takeBatch(entries, resolve),
      ({ body }) => body.bytes?.byteLength ?? 0,
      { ...limits, maxCommits: database.deliveryTransactions },
      ({ resourceId }) => resourceId,
    )
  }

  /**
   * Records and applies a delivery; resolves once both are committed.
   * @param traceparent the span of the delivery, the parent of its commit and handler runs
   * @throws {ClerkSyncError} with status 503 if the database could not take it
   */
  record(delivery: Delivery, traceparent: string | null = null): Promise<Receipt> {
    const entry = readEntry(delivery, this.#admission)
    return this.#gather.submit(traceparent === null ? entry : { ...entry, traceparent })
  }

  /** Applies recorded deliveries again, in one transaction. */
  replay(deliveries: readonly RecordedDelivery[]): Promise<readonly Receipt[]> {
    const entries = deliveries.map((delivery) => ({
      ...readEntry(delivery, this.#admission),
      recordedAs: delivery.outcome,
    }))
    return this.#commitOrIsolate(this.#replays, entries)
  }

  /**
   * Applies what the Backend API showed, beside the deliveries and with the same guard.
   * @param notification the synthetic events, where handlers are notified
   * @returns the verdict on each, in order
   * @throws {ClerkSyncError} `database_…`; then some of it may have been applied, and to apply it again is harmless
   */
  async apply(
    observations: readonly Observation[],
    notification?: Notification,
  ): Promise<readonly Verdict[]> {
    try {
      return await this.#commitOrIsolate(this.#repair(notification), observations)
    } catch (error) {
      // Rows that are just being delivered make it collide with the deliveries: its halves do so less.
      const isConflict = error instanceof ClerkSyncError && failureKind(error.cause) === 'conflict'
      if (!isConflict || observations.length === 1) throw error
      const middle = Math.floor(observations.length / 2)
      const first = await this.apply(observations.slice(0, middle), notification)
      return [...first, ...(await this.apply(observations.slice(middle), notification))]
    }
  }

  /** Takes no more deliveries and resolves when those under way are committed. */
  close(): Promise<void> {
    return this.#gather.close()
  }

  /** How many deliveries wait for a commit to begin. */
  get waiting(): number {
    return this.#gather.waiting
  }

  async #takeBatch(entries: readonly Entry[], resolve: Resolve<Receipt>): Promise<readonly Receipt[]> {
    const startedAt = performance.now()
    try {
      const receipts = await this.#commitOrIsolate(this.#deliveries, entries, undefined, resolve)
      this.#recordCommit(entries, startedAt, null)
      return receipts
    } catch (error) {
      this.#recordCommit(entries, startedAt, error)
      throw error
    }
  }

  #recordCommit(entries: readonly Entry[], startedAt: number, failure: unknown): void {
    const error =
      failure === null ? null : failure instanceof ClerkSyncError ? failure.code : 'internal_error'
    const ms = performance.now() - startedAt
    this.#telemetry.record({ kind: 'commit', events: entries.length, ms, error })
    const { tracing } = this.#telemetry
    if (!tracing) return
    const end = Date.now()
    const attributes = { 'clerk_sync.events': entries.length, ...(error && { 'error.type': error }) }
    for (const { traceparent } of entries) {
      if (!traceparent) continue
      const span = { name: 'clerk-sync commit', kind: 'internal', attributes, parent: traceparent } as const
      tracing.record(span, end - ms, end)
    }
  }

  /** One try of a batch: two flights, and what follows from the commit. */
  async #commit<Item, Result>(
    work: Work<Item, Result>,
    items: readonly Item[],
    limits?: Partial<BatchLimits>,
    isAgain = false,
  ): Promise<readonly Result[]> {
    const { transaction, stored } = await read(
      work.begin,
      this.#statements,
      work.ask(items),
      this.#deletion,
      limits,
    )
    const { plan, results } = await orRollBack(transaction, () => work.decide(items, stored))
    await write(transaction, this.#statements, plan, isAgain)
    this.#follow(plan)
    return results
  }

  /** Until it is committed: again after a conflict, each item alone after any failure that is not the database's own. */
  async #commitOrIsolate<Item, Result>(
    work: Work<Item, Result>,
    items: readonly Item[],
    limits?: Partial<BatchLimits>,
    resolve?: Resolve<Result>,
  ): Promise<readonly Result[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#commit(work, items, limits, tries > 1)
      } catch (error) {
        const kind = error instanceof Defect || isTimeLimit(error) ? 'rejected' : failureKind(error)
        if (kind === 'rejected' || (isTaken(error) && tries === MAX_TRIES))
          return this.#isolate(work, items, error, resolve)
        if (kind === 'unavailable' || tries === MAX_TRIES) throw toUnavailable(error)
        await sleep(Math.random() * 10 * tries)
      }
    }
  }

  /** Finds the culprit of a batch that was refused: it is recorded as failed, the others are committed. */
  async #isolate<Item, Result>(
    work: Work<Item, Result>,
    items: readonly Item[],
    error: unknown,
    resolve?: Resolve<Result>,
  ): Promise<readonly Result[]> {
    const [item] = items
    if (items.length > 1) {
      // Each is acknowledged once it is committed: the database may be gone before the last one is.
      const alone = async (each: Item, at: number) => {
        const [result] = await this.#commitOrIsolate(work, [each], ALONE)
        resolve?.(at, result as Result)
        return result as Result
      }
      return inTurn(items, alone, ALONE_AT_A_TIME)
    }
    const refusal = work.refuse(item as Item, error instanceof Defect ? error.cause : error)
    return 'result' in refusal ? [refusal.result] : this.#commit(work, [refusal.item])
  }

  #follow({ runs, pendingVerifications, pendingCascades }: Plan): void {
    if (runs.length > 0) this.#handlers.wake(runs)
    if (pendingVerifications.length > 0) this.#afterwards.verify()
    if (pendingCascades.length > 0) this.#afterwards.cascade()
  }

  #recording(begin: BeginBatch, decide: typeof decideDeliveries): Work<Entry, Receipt> {
    const handlers = this.#handlers
    return {
      begin,
      ask: (entries) => ({
        svixIds: entries.filter(({ recordedAs }) => !recordedAs).map(({ svixId }) => svixId),
        observations: entries.flatMap(({ observations }) => observations),
        mentioned: entries.flatMap(({ mentioned }) => mentioned),
        notifiable: entries.flatMap(({ type, resourceId }) =>
          type !== null && resourceId !== null && handlers.wants(type) ? [{ type, resourceId }] : [],
        ),
      }),
      decide: (entries, stored) => {
        const { plan, receipts } = decide(entries, stored, handlers, this.#deletion)
        return { plan, results: receipts }
      },
      refuse: (entry, error) => ({ item: refused(entry, error, reasonOf(error)) }),
    }
  }

  #repair(notification: Notification | undefined): Work<Observation, Verdict> {
    const handlers = this.#handlers
    return {
      begin: this.#beginRepairs,
      ask: (observations) => ({
        svixIds: [],
        observations,
        notifiable: observations.flatMap((observation) => {
          const type = notification?.typeOf(observation)
          return type && handlers.wants(type) ? [{ type, resourceId: observation.id }] : []
        }),
      }),
      decide: (observations, stored) => {
        const { plan, verdicts } = decideObservations(
          observations,
          stored,
          handlers,
          this.#deletion,
          notification,
        )
        return { plan, results: verdicts }
      },
      refuse: (_, error) => ({
        result: { outcome: 'failed', reason: reasonOf(error), changes: null, error: messageOf(error) },
      }),
    }
  }
}

function reasonOf(error: unknown): 'timed_out' | 'rejected_by_database' | 'internal_fault' {
  if (isTimeLimit(error)) return 'timed_out'
  // A value that stays taken is in one of your own unique indexes.
  return failureKind(error) === 'rejected' || isTaken(error) ? 'rejected_by_database' : 'internal_fault'
}

/** Results in the items' order. The first error ends it, once what is under way has ended too. */
async function inTurn<Item, Result>(
  items: readonly Item[],
  each: (item: Item, at: number) => Promise<Result>,
  atATime: number,
): Promise<Result[]> {
  const results: Result[] = []
  const errors: unknown[] = []
  const waiting = items.entries()
  const lane = async () => {
    for (const [at, item] of waiting) {
      if (errors.length > 0) return
      await each(item, at).then(
        (result) => (results[at] = result),
        (error) => errors.push(error),
      )
    }
  }
  await Promise.all(Array.from({ length: atATime }, lane))
  if (errors.length > 0) throw errors[0]
  return results
}
