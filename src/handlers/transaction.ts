/** The transaction that a handler writes through. It begins with the first statement: who does not use it pays nothing. */

import { Kysely, PostgresDialect } from 'kysely'
import type { OpenTransaction, SqlClient } from '../database/open-transaction.ts'
import type { ClerkSchema } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import { isConnectionLoss } from './trouble.ts'

/**
 * What is written through it is committed together with the run's completion, or not at all: exactly once.
 *
 * @example
 * // As a client of pg, which is also what Drizzle wants: drizzle(tx)
 * await tx.query('insert into profiles (user_id) values ($1)', [event.data.id])
 * // With Kysely
 * await tx.kysely<MyTables>().insertInto('profiles').values({ user_id: event.data.id }).execute()
 */
export interface HandlerTransaction extends SqlClient {
  /** Kysely inside this transaction. Clerk's tables are `clerk.users` and so on; add your own by their types. */
  kysely<Tables = unknown>(): Kysely<Tables & ClerkSchema>
}

export class LazyTransaction {
  readonly #begin: () => Promise<OpenTransaction>
  readonly #nesting = new Nesting()
  #opened: Promise<OpenTransaction> | undefined
  #isOver = false
  #isLost = false

  constructor(begin: () => Promise<OpenTransaction>) {
    this.#begin = begin
  }

  /** What the handler gets. */
  readonly handle: HandlerTransaction = {
    query: async (query, ...rest) => {
      const { client } = await this.#open()
      return this.#noticing(client.query(this.#nesting.translate(query), ...rest))
    },
    kysely: <Tables>() => new Kysely<Tables & ClerkSchema>({ dialect: dialectOn(this.handle) }),
  }

  get hasBegun(): boolean {
    return this.#opened !== undefined
  }

  /** Whether its connection was lost: then it is not the handler that failed. */
  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * Commits, after a last piece of work in the same transaction.
   * @throws if the transaction is not committed, or if nobody knows
   */
  async commit(last: (client: SqlClient) => Promise<void>): Promise<void> {
    const opened = await this.#open()
    await this.#noticing(last(opened.client))
    this.#isOver = true
    await this.#noticing(opened.commit())
  }

  /** Never throws. Whatever the handler still does with the transaction fails. */
  async rollback(): Promise<void> {
    const wasOver = this.#isOver
    this.#isOver = true
    const opened = await this.#opened?.catch(() => undefined)
    if (!wasOver) await opened?.rollback()
  }

  async #noticing<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work
    } catch (error) {
      this.#isLost ||= isConnectionLoss(error)
      throw error
    }
  }

  #open(): Promise<OpenTransaction> {
    if (this.#isOver) return Promise.reject(new ClerkSyncError('transaction_over'))
    this.#opened ??= this.#begin()
    return this.#opened
  }
}

const BEGIN = /^\s*(begin|start\s+transaction)\b[^;]*;?\s*$/i
const COMMIT = /^\s*(commit|end)\b[^;]*;?\s*$/i
const ROLLBACK = /^\s*(rollback|abort)\b(?!\s+to\b)[^;]*;?\s*$/i

/**
 * What query builders send for a transaction inside the handler's: Postgres would end the outer one with the inner, and
 * what the handler wrote would be there even if it fails afterwards. It becomes savepoints.
 */
class Nesting {
  #depth = 0

  /** @throws {ClerkSyncError} `transaction_not_yours` for the end of the handler's own transaction */
  translate(query: string | object): string | object {
    const text = typeof query === 'string' ? query : (query as { text?: unknown }).text
    if (typeof text !== 'string') return query
    const command = this.#commandFor(text)
    if (command === undefined) return query
    return typeof query === 'string' ? command : { ...query, text: command }
  }

  #commandFor(text: string): string | undefined {
    if (BEGIN.test(text)) return `savepoint handler_${++this.#depth}`
    if (COMMIT.test(text)) return `release savepoint handler_${this.#leave()}`
    if (ROLLBACK.test(text)) return `rollback to savepoint handler_${this.#leave()}`
    return undefined
  }

  #leave(): number {
    if (this.#depth === 0) throw new ClerkSyncError('transaction_not_yours')
    return this.#depth--
  }
}

/** Kysely takes a pool; this one has a single client, which it neither opens nor closes. */
function dialectOn(client: SqlClient): PostgresDialect {
  const connection = { query: client.query, release: () => undefined }
  return new PostgresDialect({
    pool: { connect: async () => connection, end: async () => undefined } as never,
  })
}
