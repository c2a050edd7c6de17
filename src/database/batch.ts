/**
 * A transaction in two flights: what reads goes out as one write when it begins, what writes goes out as another together
 * with the commit. Between app and database a batch costs two round trips, however many statements it has.
 */

import { hash } from 'node:crypto'
import type { PoolClient } from 'pg'
import { ClerkSyncError } from '../errors.ts'
import type { ConnectionSource } from './connections.ts'
import type { PGlite, PGliteTransaction } from './embedded.ts'
import { hasLostStatement } from './failure.ts'
import type { Statement } from './query.ts'
import { streamOf } from './stream.ts'

/** The rows that each statement returned. */
type Rows = readonly (readonly unknown[])[]

export interface BatchTransaction {
  /** What the first flight read. */
  readonly rows: Rows
  /** The second flight: runs these and commits. Once it was called, the transaction has ended. */
  commit(statements: readonly Statement[]): Promise<Rows>
  /** Never throws: what cannot be rolled back is cut off. */
  rollback(): Promise<void>
}

/** Begins a transaction with the statements of the first flight. */
export type BeginBatch = (
  statements: readonly Statement[],
  limits?: Partial<BatchLimits>,
) => Promise<BatchTransaction>

export interface BatchLimits {
  /** The longest that one statement may run, in milliseconds. */
  readonly statementTimeoutMs: number
}

const DEFAULT_LIMITS: BatchLimits = { statementTimeoutMs: 4_000 }
/**
 * A process that froze or lost its network between its flights holds locks that others wait for. Postgres ends its
 * transaction after this long. More than any round trip and any pause of the event loop that is no fault.
 */
const IDLE_TIMEOUT_MS = 2_500
/** Longer than a frozen process can hold a lock, and shorter than a statement may run. */
const LOCK_TIMEOUT_MS = 3_500
/** Beyond the limit of a statement, Postgres has answered: a connection that is silent for longer is dead. */
const SILENCE_MARGIN_MS = 2_000

/** Limits of a transaction. They are its own, because a pooler may give its connection to others. */
function begin({ statementTimeoutMs }: BatchLimits): string {
  return [
    'begin',
    `set local statement_timeout = ${statementTimeoutMs}`,
    `set local lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `set local idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`,
  ].join('; ')
}

export function batchesOnPostgres(connections: ConnectionSource): BeginBatch {
  const names = new StatementNames()
  return async (statements, limits) => {
    const chosen = { ...DEFAULT_LIMITS, ...limits }
    const client = await connections.connect()
    const flight = new Flights(client, names, chosen.statementTimeoutMs + SILENCE_MARGIN_MS)
    try {
      const [, ...rows] = await flight.send([{ text: begin(chosen), parameters: [] }, ...statements])
      return {
        rows,
        commit: (writes) => commit(flight, writes),
        rollback: () => flight.rollback(),
      }
    } catch (error) {
      await flight.rollback()
      throw error
    }
  }
}

async function commit(flight: Flights, writes: readonly Statement[]): Promise<Rows> {
  try {
    return (await flight.send([...writes, COMMIT])).slice(0, -1)
  } finally {
    flight.release()
  }
}

const COMMIT: Statement = { text: 'commit', parameters: [] }
const ROLLBACK: Statement = { text: 'rollback', parameters: [] }

/** A connection that sends several statements as one write, and is thrown away when it breaks. */
class Flights {
  readonly #client: PoolClient
  readonly #names: StatementNames
  readonly #silenceMs: number
  #isBroken = false

  constructor(client: PoolClient, names: StatementNames, silenceMs: number) {
    this.#client = client
    this.#names = names
    this.#silenceMs = silenceMs
  }

  /** Rejects with the first failure, once every statement was answered: the connection is free for others only then. */
  async send(statements: readonly Statement[]): Promise<Rows> {
    const stream = streamOf(this.#client)
    // A network or a pooler that drops a connection without a word would leave it waiting for a quarter of an hour. The pool
    // destroys a socket that was silent for so long.
    stream.setTimeout?.(this.#silenceMs)
    stream.cork?.()
    const running = statements.map((statement) => this.#query(statement))
    stream.uncork?.()
    const settled = await Promise.allSettled(running)
    this.#isBroken = settled.at(-1)?.status === 'rejected'
    const failure = settled.find((each) => each.status === 'rejected')
    if (failure) throw failure.reason
    const results = settled.map((each) => (each as PromiseFulfilledResult<Result>).value)
    // A trigger of the team's own can swallow a row. Then it is committed without it, and must not be acknowledged.
    if (results.some(({ rowCount }, index) => isMissing(statements[index], rowCount))) throw notStored()
    return results.map(({ rows }) => rows)
  }

  async rollback(): Promise<void> {
    await this.send([ROLLBACK]).catch(() => undefined)
    this.release()
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }

  #query({ text, parameters }: Statement): Promise<Result> {
    const name = this.#names.of(text)
    const query = { text, values: [...parameters], ...(name && { name }) }
    return this.#client.query(query).catch((error) => {
      this.#names.learn(error)
      throw error
    })
  }
}

/**
 * Names under which a connection keeps an insert that it has parsed and planned, which costs more than running it.
 *
 * Only inserts, which can be done in one way. A lookup that was planned while its table was empty may go through the wrong
 * index for as long as the plan is kept, however large the table grows.
 *
 * A pooler may put each transaction on another connection of the server, where a prepared statement is missing, or there
 * already: once that was seen, nothing is prepared any more. The failure counts as a conflict, so that the batch runs again.
 */
class StatementNames {
  readonly #names = new Map<string, string>()
  #isPooled = false

  of(text: string): string | undefined {
    if (this.#isPooled || !text.startsWith('insert')) return undefined
    const known = this.#names.get(text)
    if (known) return known
    // From the text, so that no name ever means two things, whoever else prepares on the same connection.
    const name = `clerk_sync_${hash('sha256', text).slice(0, 32)}`
    this.#names.set(text, name)
    return name
  }

  learn(error: unknown): void {
    this.#isPooled ||= hasLostStatement(error)
  }
}

/** The embedded database has one connection, in this process: everything else waits until the transaction ends. */
export function batchesOnPGlite(open: () => Promise<PGlite>): BeginBatch {
  return async (statements, limits) => {
    const pglite = await open()
    const opened = Promise.withResolvers<Rows>()
    const writes = Promise.withResolvers<readonly Statement[]>()
    let written: Rows = []
    const ended = pglite.transaction(async (transaction) => {
      const { statementTimeoutMs } = { ...DEFAULT_LIMITS, ...limits }
      await transaction.exec(`set local statement_timeout = ${statementTimeoutMs}`)
      opened.resolve(await runAll(transaction, statements))
      written = await runAll(transaction, await writes.promise)
    })
    ended.catch(opened.reject)
    return {
      rows: await opened.promise,
      commit: async (last) => {
        writes.resolve(last)
        await ended
        return written
      },
      rollback: async () => {
        writes.reject(new Error('rolled back'))
        await ended.catch(() => undefined)
      },
    }
  }
}

async function runAll(transaction: PGliteTransaction, statements: readonly Statement[]): Promise<Rows> {
  const rows: unknown[][] = []
  for (const statement of statements) {
    const result = await transaction.query(statement.text, [...statement.parameters])
    // PGlite can report success for a statement that failed inside it.
    if (isMissing(statement, result.affectedRows ?? 0)) throw notStored()
    rows.push(result.rows)
  }
  return rows
}

interface Result {
  readonly rows: unknown[]
  readonly rowCount: number | null
}

function isMissing(statement: Statement | undefined, rowCount: number | null): boolean {
  return statement?.stores !== undefined && statement.stores !== rowCount
}

function notStored(): ClerkSyncError {
  return new ClerkSyncError(
    'database_unavailable',
    'it did not store every row; is there a trigger that drops some?',
  )
}
