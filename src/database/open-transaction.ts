/** A transaction for code that is not ours: begun, and later committed or rolled back, wherever that code is by then. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import type { PGlite, PGliteTransaction } from './embedded.ts'

/** What drivers have in common, and what query builders need of one: `pg`'s client without its callbacks. */
export interface SqlClient {
  // The drivers' own overloads (a text with values, a query object, row modes) pass through as they are.
  query<Row = Record<string, unknown>>(
    query: string | object,
    ...rest: unknown[]
  ): Promise<{ rows: Row[]; rowCount?: number | null }>
}

export interface OpenTransaction {
  readonly client: SqlClient
  /** @throws if the transaction is not committed, or if nobody knows */
  commit(): Promise<void>
  /** Never throws: what cannot be rolled back is cut off. */
  rollback(): Promise<void>
}

/** A rollback waits for the statement that runs; after this long the connection is given up instead. */
const PATIENCE_MS = 1_000
/** A healthy connection answers this at once; one that a network silently dropped never does. */
const ANSWER_MS = 5_000

function limitStatements(timeoutMs: number): string {
  return `set local statement_timeout = ${Math.ceil(timeoutMs)}`
}

/** Code that hangs must not hold locks for ever, even when nobody is left to roll back. */
function limitIdleness(timeoutMs: number): string {
  return `set local idle_in_transaction_session_timeout = ${Math.ceil(timeoutMs)}`
}

export async function beginOnPostgres(connection: PoolClient, timeoutMs: number): Promise<OpenTransaction> {
  let isBroken = false
  const run = (command: string) =>
    answered(connection.query(command)).catch((error: unknown) => {
      isBroken = true
      throw error
    })
  await run(`begin; ${limitStatements(timeoutMs)}; ${limitIdleness(timeoutMs)}`).catch((error) => {
    connection.release(true)
    throw error
  })
  return {
    client: connection as unknown as SqlClient,
    commit: async () => {
      const { command } = await run('commit').finally(() => connection.release(isBroken))
      // Postgres answers the commit of a transaction that had failed with a rollback, and no error.
      if (command === 'ROLLBACK')
        throw new Error('a statement had failed, so the transaction was rolled back')
    },
    rollback: async () => {
      const isDone = await Promise.race([
        run('rollback').then(
          () => true,
          () => false,
        ),
        sleep(PATIENCE_MS, false, { ref: false }),
      ])
      connection.release(!isDone)
    },
  }
}

async function answered<Result>(command: Promise<Result>): Promise<Result> {
  const waiting = new AbortController()
  const late = sleep(ANSWER_MS, undefined, { signal: waiting.signal, ref: false }).then(() => {
    throw new Error(`connection timeout: no answer within ${ANSWER_MS / 1_000} s`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([command, late])
  } finally {
    waiting.abort()
    command.catch(() => undefined)
  }
}

/**
 * The embedded database has one connection: everything else waits until this transaction ends. It has no limit to idleness:
 * a session that Postgres ends makes PGlite raise the same fatal error again and again, in a loop that never lets go of the
 * process (0.5.16). The code that rolls back is in this process too.
 */
export async function beginOnPGlite(pglite: PGlite, timeoutMs: number): Promise<OpenTransaction> {
  const opened = Promise.withResolvers<PGliteTransaction>()
  const ended = Promise.withResolvers<'commit'>()
  const closed = pglite.transaction(async (transaction) => {
    await transaction.exec(limitStatements(timeoutMs))
    opened.resolve(transaction)
    await ended.promise
  })
  closed.catch(opened.reject)
  const transaction = await opened.promise
  return {
    client: { query: (...words) => queryPGlite(transaction, words) } as SqlClient,
    commit: async () => {
      ended.resolve('commit')
      await closed
    },
    rollback: async () => {
      ended.reject(new Error('rolled back'))
      await closed.catch(() => undefined)
    },
  }
}

/** PGlite takes a text, values and options; `pg` also takes all of them as one object. */
async function queryPGlite(transaction: PGliteTransaction, [query, values, options]: unknown[]) {
  const { text, values: own, ...rest } = typeof query === 'string' ? { text: query } : (query as QueryObject)
  const result = await transaction.query(text, (values ?? own) as unknown[], {
    ...rest,
    ...(options as object),
  })
  return { ...result, rowCount: result.affectedRows ?? result.rows.length }
}

interface QueryObject {
  readonly text: string
  readonly values?: readonly unknown[]
}
