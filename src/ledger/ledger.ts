/**
 * The ledger: every event once, applied before it is acknowledged.
 *
 * Deliveries gather into batches; a batch is one transaction. When the database refuses a batch, its deliveries are run
 * one by one under savepoints, so that one event that cannot be applied never holds up the others.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql, type Transaction } from 'kysely'
import type { Delivery } from '../clerk/event.ts'
import type { Database } from '../database/database.ts'
import { failureKind, toUnavailable } from '../database/failure.ts'
import type { ClerkTables } from '../database/tables.ts'
import { createApply } from './apply.ts'
import { GroupCommit, type GroupCommitLimits } from './group-commit.ts'
import { type Admission, type Receipt, type RecordedDelivery, Recorder } from './record.ts'

/** Deadlocks and races between servers end quickly; what still collides after this many tries is left to Svix. */
const MAX_TRIES = 6
/**
 * The longest a statement may run. More than a delivery waits for its answer: deleting a huge organization takes
 * longer than that, and must end some time rather than be cancelled with every retry. Less than Svix's 15 s.
 */
const STATEMENT_TIMEOUT_MS = 12_000

export class Ledger {
  readonly #database: Database
  readonly #recorder: Recorder
  readonly #commits: GroupCommit<Delivery, Receipt>

  constructor(database: Database, admission: Admission, limits: GroupCommitLimits) {
    this.#database = database
    this.#recorder = new Recorder(database.schema, createApply(database.schema), admission)
    this.#commits = new GroupCommit(
      (deliveries) => this.#commit(deliveries),
      (delivery) => delivery.rawBody.byteLength,
      limits,
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
  async #settle<D>(deliveries: readonly D[], steps: Steps<D>): Promise<Receipt[]> {
    let run = (trx: Transaction<ClerkTables>) => steps.take(trx, deliveries)
    for (let tries = 1; ; tries++) {
      try {
        return await this.#inTransaction(run)
      } catch (error) {
        const kind = failureKind(error)
        if (kind === 'unavailable' || tries === MAX_TRIES) throw toUnavailable(error)
        if (kind === 'rejected') run = (trx) => oneByOne(trx, deliveries, steps)
        else await sleep(Math.random() * 10 * tries)
      }
    }
  }

  #inTransaction<Result>(work: (trx: Transaction<ClerkTables>) => Promise<Result>): Promise<Result> {
    return this.#database.ingest.transaction().execute(async (trx) => {
      // Local to the transaction: a connection pooler may hand the session to somebody else afterwards.
      await sql`select set_config('statement_timeout', ${String(STATEMENT_TIMEOUT_MS)}, true)`.execute(trx)
      return work(trx)
    })
  }
}

/** What to do with deliveries in a transaction, and with one that the database refuses. */
interface Steps<D> {
  take(trx: Transaction<ClerkTables>, deliveries: readonly D[]): Promise<Receipt[]>
  refuse(trx: Transaction<ClerkTables>, delivery: D, error: unknown): Promise<Receipt>
}

async function oneByOne<D>(
  trx: Transaction<ClerkTables>,
  deliveries: readonly D[],
  { take, refuse }: Steps<D>,
): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  for (const delivery of deliveries) {
    const taken = await underSavepoint(trx, () => take(trx, [delivery])).catch(async (error) => {
      if (failureKind(error) !== 'rejected') throw error
      return [await refuse(trx, delivery, error)]
    })
    receipts.push(...taken)
  }
  return receipts
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
