/**
 * Opens transactions for handlers: no more at a time than there are connections for them. Waiting for one is no failure,
 * nor is a database that cannot be reached for a moment.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import type { OpenTransaction, SqlClient } from '../database/open-transaction.ts'
import { query } from '../database/query.ts'
import { isConnectionLoss } from './trouble.ts'

const RETRY_MS = 500
/** A statement that takes longer is looked for among those that Postgres works on. */
const SUSPICIOUS_MS = 4_000
/** An answer that Postgres has given takes less than this. */
const ARRIVAL_MS = 2_000

export class Transactions {
  readonly #database: Database
  readonly #gate: Gate

  constructor(database: Database) {
    this.#database = database
    this.#gate = new Gate(database.handlerTransactions)
  }

  /** @throws the signal's reason, once it is aborted */
  async begin(timeoutMs: number, signal: AbortSignal): Promise<OpenTransaction> {
    await this.#gate.enter(signal)
    try {
      const { client, commit, rollback } = await this.#beginPatiently(timeoutMs, signal)
      const leave = () => this.#gate.leave()
      return {
        client: this.#watched(client),
        commit: () => commit().finally(leave),
        rollback: () => rollback().finally(leave),
      }
    } catch (error) {
      this.#gate.leave()
      throw error
    }
  }

  async #beginPatiently(timeoutMs: number, signal: AbortSignal): Promise<OpenTransaction> {
    for (;;) {
      signal.throwIfAborted()
      try {
        return await this.#database.begin(timeoutMs)
      } catch (error) {
        if (!isConnectionLoss(error)) throw error
        await sleep(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  /**
   * A connection that a network silently dropped never answers: a query on it would wait until the handler's timeout.
   */
  #watched(client: SqlClient): SqlClient {
    const pid = (client as { readonly processID?: number | null }).processID
    if (!pid) return client
    return {
      query: <Row>(text: string | object, ...rest: unknown[]) =>
        this.#whileWorkedOn(pid, client.query<Row>(text, ...rest)),
    }
  }

  async #whileWorkedOn<Result>(pid: number, statement: Promise<Result>): Promise<Result> {
    const watching = new AbortController()
    const lost = this.#untilLost(pid, watching.signal)
    try {
      return await Promise.race([statement, lost])
    } finally {
      watching.abort()
      statement.catch(() => undefined)
    }
  }

  /** Rejects once Postgres says twice that it works on nothing for this connection; otherwise it never settles. */
  async #untilLost(pid: number, signal: AbortSignal): Promise<never> {
    let idle = 0
    for (let waitMs = SUSPICIOUS_MS; idle < 2; waitMs = ARRIVAL_MS) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return new Promise(() => undefined)
      idle = (await this.#isIdle(pid)) ? idle + 1 : 0
    }
    throw new Error('the connection is lost: Postgres has answered, and no answer came')
  }

  /** Behind a pooler the number may be of no backend, or of another one: only what is known counts. */
  async #isIdle(pid: number): Promise<boolean> {
    const text = `select state from pg_stat_activity where pid = $1 and application_name = 'clerk-sync'`
    const [backend] = await query<{ state: string }>(this.#database.bookkeeping, text, [pid]).catch(() => [])
    return backend?.state === 'idle in transaction' || backend?.state === 'idle in transaction (aborted)'
  }
}

/** Admits this many at a time, in order of arrival. */
class Gate {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** To be followed by one `leave`. @throws the signal's reason, once it is aborted */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () => {
      this.#waiting.delete(resolve)
      reject(signal.reason)
    }
    this.#waiting.add(resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    await promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
