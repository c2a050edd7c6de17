/**
 * Records how runs end. A handler's side effects cannot be undone, so that a short database outage must not make it run
 * again. Runs that end during a statement are recorded together by the next one. It never waits for an engine.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { isOutage, messageOf } from '../database/failure.ts'
import type { SqlClient } from '../database/open-transaction.ts'
import { query } from '../database/query.ts'
import type { ClerkTables, FailedAttempt } from '../database/tables.ts'
import type { Logger } from '../log.ts'
import { Batch } from './batch.ts'
import type { Wake } from './engine.ts'
import {
  type ClaimedRun,
  claimsOf,
  type DueRow,
  type FailedRun,
  type KeyRow,
  MAX_HISTORY,
  nameOf,
  toKey,
} from './run.ts'
import type { RunStatements } from './statements.ts'
import { toWake } from './wakes.ts'

/** A statement that keeps failing for this long will not succeed. */
const PATIENCE_MS = 10_000
const RETRY_MS = 200
const MAX_BATCH = 500

export interface CompletionParts {
  readonly database: Kysely<ClerkTables>
  readonly statements: RunStatements
  readonly log: Logger
  readonly wake: (wakes: readonly Wake[]) => void
}

export class Completions {
  readonly #parts: CompletionParts
  readonly #done: Batch<ClaimedRun, undefined>
  readonly #following = new Set<Promise<void>>()

  constructor(parts: CompletionParts) {
    this.#parts = parts
    this.#done = new Batch((runs) => this.#write(runs), MAX_BATCH)
  }

  /** Notes that a run is done; resolves once that is committed. Of a run whose claim was lost it notes nothing. */
  succeed(run: ClaimedRun): Promise<void> {
    return this.#done.add(run)
  }

  /**
   * Notes that a run is done, in the transaction that it wrote through.
   * @returns false if it belongs to another worker by now: then nothing of this may be committed
   */
  async succeedIn(client: SqlClient, run: ClaimedRun): Promise<boolean> {
    const { rows } = await client.query(this.#parts.statements.succeed, claimsOf([run]))
    return rows.length === 1
  }

  /** Notes a failed try, and again nothing without its claim. */
  async fail(failure: FailedRun): Promise<void> {
    const { database, statements, wake } = this.#parts
    const parameters = [JSON.stringify([failedRow(failure)])]
    const [row] = await this.#patiently(() => query<FailedRow>(database, statements.fail, parameters))
    if (row?.status === 'retrying') wake([toWake(row)])
    if (row?.status === 'dead') this.follow([failure.run])
  }

  /**
   * What follows from runs that are over: the next of their resources are woken, and their events need their secrets no
   * more. After the commit of their end: of two that end at once, one must see the other's. Nobody waits for it: workers
   * find what was not woken, and maintenance finds secrets.
   */
  follow(runs: readonly ClaimedRun[]): void {
    if (runs.every((run) => run.orderKey === null && !run.hasSecrets)) return
    const following = this.#follow(runs).catch((error) =>
      this.#parts.log.warn(
        { cause: messageOf(error) },
        'failed to notify callers that wait for a handler to finish',
      ),
    )
    this.#following.add(following)
    void following.finally(() => this.#following.delete(following))
  }

  /** Resolves when everything is written down. */
  async idle(): Promise<void> {
    await this.#done.idle()
    await Promise.all(this.#following)
  }

  async #write(runs: readonly ClaimedRun[]): Promise<undefined[]> {
    const { database, statements } = this.#parts
    const ended = await this.#patiently(() => query<KeyRow>(database, statements.succeed, claimsOf(runs)))
    const names = new Set(ended.map((row) => nameOf(toKey(row))))
    this.follow(runs.filter((run) => names.has(nameOf(run))))
    return runs.map(() => undefined)
  }

  async #patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      try {
        return await work()
      } catch (error) {
        // As long as this process lives nobody else takes the run.
        if (performance.now() > until && !isOutage(error)) throw error
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  async #follow(runs: readonly ClaimedRun[]): Promise<void> {
    const { database, statements, wake } = this.#parts
    const secret = runs.filter(({ hasSecrets }) => hasSecrets).map(({ eventId }) => eventId)
    const ordered = runs.filter(({ orderKey }) => orderKey !== null)
    const lines = [ordered.map(({ handler }) => handler), ordered.map(({ orderKey }) => orderKey)]
    if (ordered.length > 0) wake((await query<DueRow>(database, statements.nextInLine, lines)).map(toWake))
    if (secret.length > 0) await query(database, statements.forgetSecrets, [secret])
  }
}

interface FailedRow extends DueRow {
  status: 'retrying' | 'dead'
}

function failedRow({ run, error, fingerprint, delay }: FailedRun): object {
  const attempt: FailedAttempt = {
    attempt: run.attempt,
    startedAt: run.claimedAt.toISOString(),
    failedAt: new Date().toISOString(),
    worker: run.worker,
    error,
  }
  return {
    claim: run.claim,
    event_id: run.eventId,
    handler: run.handler,
    status: delay === undefined ? 'dead' : 'retrying',
    error,
    fingerprint,
    history: [...run.history, attempt].slice(-MAX_HISTORY),
    delay_ms: delay === undefined ? null : delay * 1_000,
  }
}
