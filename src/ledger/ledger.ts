/**
 * The ledger: every event once, applied before it is acknowledged.
 *
 * Deliveries gather into batches; a batch is one transaction, and a few of them run at the same time. When the database
 * refuses a batch, its deliveries are run one by one under savepoints, so that one event that cannot be applied never
 * holds up the others.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Delivery } from '../clerk/event.ts'
import type { Database } from '../database/database.ts'
import { failureKind, messageOf, toUnavailable } from '../database/failure.ts'
import type { ClerkTables } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import { type Apply, createApply } from './apply.ts'
import type { Verdict } from './fold.ts'
import type { FollowUp } from './follow-up.ts'
import { GroupCommit, type GroupCommitLimits } from './group-commit.ts'
import type { Observation } from './observation.ts'
import { type Admission, type Receipt, type RecordedDelivery, Recorder } from './record.ts'
import { type Telling, tell } from './telling.ts'

/** Deadlocks and races between servers end quickly; what still collides after this many tries is left to Svix. */
const MAX_TRIES = 6

export class Ledger {
  readonly #database: Database
  readonly #apply: Apply
  readonly #recorder: Recorder
  readonly #followUp: FollowUp
  readonly #commits: GroupCommit<Delivery, Receipt>
  /** Transactions that wrote late rows. */
  readonly #lateRows = new WeakSet<Transaction<ClerkTables>>()
  readonly #onLateRows: () => void

  /** @param onLateRows called once rows are committed which Clerk is to be asked for: `late_rows` names them */
  constructor(
    database: Database,
    admission: Admission,
    followUp: FollowUp,
    limits: BatchLimits,
    onLateRows: () => void,
  ) {
    this.#database = database
    this.#followUp = followUp
    this.#onLateRows = onLateRows
    this.#apply = createApply(database.schema, this.#lateRows)
    this.#recorder = new Recorder(database.schema, this.#apply, admission, followUp)
    this.#commits = new GroupCommit(
      (deliveries) => this.#commit(deliveries),
      (delivery) => delivery.rawBody.byteLength,
      { ...limits, maxCommits: database.ingestTransactions },
    )
  }

  /**
   * Records and applies a delivery; resolves once both are committed.
   * @throws {ClerkSyncError} with status 503 if the database could not take it
   */
  record(delivery: Delivery): Promise<Receipt> {
    return this.#commits.submit(delivery)
  }

  /** Applies recorded deliveries again, in one transaction. */
  replay(deliveries: readonly RecordedDelivery[]): Promise<Receipt[]> {
    return this.#settle(deliveries, {
      take: (trx, taken) => this.#recorder.replay(trx, taken),
      refuse: (trx, delivery, error) => this.#recorder.replayFailure(trx, delivery, error),
    })
  }

  /**
   * Applies what the Backend API showed, beside the deliveries and with the same guard. In one transaction, unless rows
   * that are just being delivered make it collide with the deliveries however often it is tried: its halves do so less.
   * @param telling which events stand for it, where handlers are to be told
   * @returns what became of each, in order
   * @throws {ClerkSyncError} `database_…`; then some of it may have been applied, and to apply it again is harmless
   */
  async apply(observations: readonly Observation[], telling?: Telling): Promise<Applied[]> {
    try {
      return await this.#applyTogether(observations, telling)
    } catch (error) {
      const isConflict = error instanceof ClerkSyncError && failureKind(error.cause) === 'conflict'
      if (!isConflict || observations.length === 1) throw error
      const middle = Math.floor(observations.length / 2)
      const first = await this.apply(observations.slice(0, middle), telling)
      return [...first, ...(await this.apply(observations.slice(middle), telling))]
    }
  }

  #applyTogether(observations: readonly Observation[], telling?: Telling): Promise<Applied[]> {
    const steps: Steps<Observation, Applied> = {
      take: async (trx, taken) => {
        const verdicts = await this.#apply(trx, taken)
        const applied = taken.filter((_, index) => verdicts[index]?.outcome === 'applied')
        if (telling) await tell(trx, this.#database.schema, applied, telling, this.#followUp)
        return verdicts
      },
      refuse: async (_, _observation, error) => ({ outcome: 'failed', error: messageOf(error) }),
    }
    return this.#settle(observations, steps, this.#database.repairs)
  }

  /** Takes no more deliveries and resolves when those under way are committed. */
  close(): Promise<void> {
    return this.#commits.close()
  }

  #commit(deliveries: readonly Delivery[]): Promise<Receipt[]> {
    return this.#settle(deliveries, {
      take: (trx, taken) => this.#recorder.record(trx, taken),
      refuse: (trx, delivery, error) => this.#recorder.recordFailure(trx, delivery, error),
    })
  }

  /** Runs a batch until it is committed: again after a conflict, one by one after a refusal. */
  async #settle<Item, Result>(
    items: readonly Item[],
    steps: Steps<Item, Result>,
    connections = this.#database.ingest,
  ): Promise<Result[]> {
    let run = (trx: Transaction<ClerkTables>) => steps.take(trx, items)
    for (let tries = 1; ; tries++) {
      try {
        return await this.#inTransaction(connections, run)
      } catch (error) {
        const kind = failureKind(error)
        if (kind === 'unavailable' || tries === MAX_TRIES) throw toUnavailable(error)
        if (kind === 'rejected') run = (trx) => oneByOne(trx, items, steps)
        else await sleep(Math.random() * 10 * tries)
      }
    }
  }

  async #inTransaction<Result>(
    connections: Kysely<ClerkTables>,
    work: (trx: Transaction<ClerkTables>) => Promise<Result>,
  ): Promise<Result> {
    const { result, trx } = await connections
      .transaction()
      .execute(async (trx) => ({ result: await work(trx), trx }))
    this.#followUp.committed(trx)
    if (this.#lateRows.has(trx)) this.#onLateRows()
    return result
  }
}

type BatchLimits = Omit<GroupCommitLimits, 'maxCommits'>

/** What became of an observation of the Backend API's. */
export interface Applied {
  readonly outcome: Verdict['outcome'] | 'failed'
  /** What the database said. */
  readonly error?: string
}

/** What to do with items in a transaction, and with one that the database refuses. */
interface Steps<Item, Result> {
  take(trx: Transaction<ClerkTables>, items: readonly Item[]): Promise<Result[]>
  refuse(trx: Transaction<ClerkTables>, item: Item, error: unknown): Promise<Result>
}

async function oneByOne<Item, Result>(
  trx: Transaction<ClerkTables>,
  items: readonly Item[],
  { take, refuse }: Steps<Item, Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (const item of items) {
    const taken = await underSavepoint(trx, () => take(trx, [item])).catch(async (error) => {
      if (failureKind(error) !== 'rejected') throw error
      return [await refuse(trx, item, error)]
    })
    results.push(...taken)
  }
  return results
}

async function underSavepoint<Result>(
  trx: Transaction<ClerkTables>,
  work: () => Promise<Result>,
): Promise<Result> {
  await sql`savepoint delivery`.execute(trx)
  try {
    const result = await work()
    await sql`release savepoint delivery`.execute(trx)
    return result
  } catch (error) {
    await sql`rollback to savepoint delivery`.execute(trx)
    throw error
  }
}
