/** The books of the runs, apart from what workers write in them: recording runs, and what people do with them. */

import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../database/database.ts'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Wake } from './engine.ts'
import { columnsOf, type DueRow, type KeyRow, type NewRun, type RunKey, toKey } from './run.ts'
import { type RunStatements, runStatements } from './statements.ts'
import { firstWake, toWake } from './wakes.ts'

/** A transaction, and whom to wake when it is committed. */
export interface Unit {
  readonly trx: Transaction<ClerkTables>
  readonly wakes: Wake[]
}

export class Runs {
  readonly statements: RunStatements
  readonly #database: Kysely<ClerkTables>
  readonly #wake: (wakes: readonly Wake[]) => void

  constructor({ bookkeeping, schema }: Database, wake: (wakes: readonly Wake[]) => void) {
    this.#database = bookkeeping
    this.statements = runStatements(schema)
    this.#wake = wake
  }

  /** Records runs inside the caller's transaction; those that are there already stay as they are. */
  async insert(trx: Transaction<ClerkTables>, runs: readonly NewRun[]): Promise<RunKey[]> {
    const rows = runs.map(({ eventId, handler, orderKey, occurredAt }) => ({
      event_id: eventId,
      handler,
      order_key: orderKey,
      occurred_at: occurredAt,
    }))
    return (await query<KeyRow>(trx, this.statements.insert, [JSON.stringify(rows)])).map(toKey)
  }

  /** As {@link insert}, for events recorded earlier. */
  async add({ trx, wakes }: Unit, runs: readonly NewRun[]): Promise<RunKey[]> {
    const added = runs.length === 0 ? [] : await this.insert(trx, runs)
    wakes.push(...added.map(firstWake))
    return added
  }

  /** Restarts failed runs from their first attempt; running ones are left alone. */
  async reopen({ trx, wakes }: Unit, keys: readonly RunKey[], note: string | null): Promise<RunKey[]> {
    const rows = await query<DueRow>(trx, this.statements.reopen, [...columnsOf(keys), note])
    wakes.push(...rows.map(toWake))
    return rows.map(toKey)
  }

  /** Ends runs that need not succeed; those that run or are done stay as they are. */
  async discard({ trx, wakes }: Unit, keys: readonly RunKey[], note: string | null): Promise<RunKey[]> {
    const rows = await query<DiscardedRow>(trx, this.statements.discard, [...columnsOf(keys), note])
    await query(trx, this.statements.forgetSecrets, [rows.map((row) => row.event_id)])
    const ordered = rows.filter((row) => row.order_key !== null)
    const lines = [ordered.map((row) => row.handler), ordered.map((row) => row.order_key)]
    wakes.push(...(await query<DueRow>(trx, this.statements.nextInLine, lines)).map(toWake))
    return rows.map(toKey)
  }

  /** How many of these have failed and were not successful since. */
  async countFailing(keys: readonly RunKey[]): Promise<number> {
    return (await query(this.#database, this.statements.failing, columnsOf(keys))).length
  }

  /** Wakes workers for the next runs of a handler that are due, after the one given. */
  async wakeDue(handler: string, after: string, most: number): Promise<string | null> {
    const rows = await query<DueRow>(this.#database, this.statements.due, [handler, after, most])
    this.#wake(rows.map(toWake))
    return rows.length < most ? null : (rows.at(-1) as DueRow).event_id
  }

  /** Pauses a handler with a reason, or resumes it with null. */
  async pause(handler: string, reason: string | null, isPaused: boolean): Promise<void> {
    await query(this.#database, this.statements.pause, [handler, isPaused, reason])
  }

  /** Does something to runs, and wakes workers for what it set free once it is committed. */
  async inTransaction<Result>(work: (unit: Unit) => Promise<Result>): Promise<Result> {
    const wakes: Wake[] = []
    const result = await this.#database.transaction().execute((trx) => work({ trx, wakes }))
    this.#wake(wakes)
    return result
  }
}

interface DiscardedRow extends KeyRow {
  order_key: string | null
}
