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
import { fly, type NamedStatement, type StatementResult } from './flight.ts'
import type { Statement } from './query.ts'
import { streamOf } from './stream.ts'

/** The rows that each statement returned. */
export type Rows = readonly (readonly unknown[])[]

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

/**
 * What is prepared may be planned while its table is empty: a scan of the whole table is then as good as an index, and the
 * plan is kept however large the table grows. So it is made as if nothing could be scanned.
 */
export const PLANNING = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  // It would read an index from end to end, for its order.
  enable_mergejoin: 'off',
  // A lookup by id asks for the order of ids, which the primary key has. Other indexes have ids behind another column: one of them looks
  // cheaper where Postgres remembers that rows stood in its order.
  enable_sort: 'off',
  // A plan that has to scan nevertheless counts as so expensive that Postgres would compile it.
  jit: 'off',
}

/** Begins a transaction and sets its limits. They are its own, because a pooler may give its connection to others. */
function begin({ statementTimeoutMs }: BatchLimits): Statement[] {
  const settings = Object.entries({
    statement_timeout: statementTimeoutMs,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
    ...PLANNING,
  })
  const calls = settings.map(([setting], at) => `set_config('${setting}', $${at + 1}, true)`)
  return [
    { text: 'begin', parameters: [] },
    { text: `select ${calls}`, parameters: settings.map(([, value]) => String(value)) },
  ]
}

export function batchesOnPostgres(connections: ConnectionSource): BeginBatch {
  const prepared = new PreparedStatements()
  return async (statements, limits) => {
    const chosen = { ...DEFAULT_LIMITS, ...limits }
    const client = await connections.connect()
    const transaction = new Transaction(client, prepared, chosen.statementTimeoutMs + SILENCE_MARGIN_MS)
    const opening = begin(chosen)
    const rows = await transaction.send([...opening, ...statements])
    return {
      rows: rows.slice(opening.length),
      commit: async (writes) => {
        const written = await transaction.send([...writes, COMMIT])
        transaction.release()
        return written.slice(0, -1)
      },
      rollback: () => transaction.rollback(),
    }
  }
}

const COMMIT: Statement = { text: 'commit', parameters: [] }
const ROLLBACK: Statement = { text: 'rollback', parameters: [] }

/** A connection in a transaction; thrown away when it breaks. */
class Transaction {
  readonly #client: PoolClient
  readonly #prepared: PreparedStatements
  readonly #silenceMs: number

  constructor(client: PoolClient, prepared: PreparedStatements, silenceMs: number) {
    this.#client = client
    this.#prepared = prepared
    this.#silenceMs = silenceMs
  }

  /** If anything fails, the transaction is rolled back and its connection free for others. */
  async send(statements: readonly Statement[]): Promise<Rows> {
    try {
      const results = await this.#fly(statements)
      // One of your triggers can suppress a row. The transaction then commits without it, and the delivery must not be
      // acknowledged.
      if (results.some(({ rowCount }, index) => isMissing(statements[index], rowCount))) throw notStored()
      return results.map(({ rows }) => rows)
    } catch (error) {
      this.#prepared.learn(error)
      await this.rollback()
      throw error
    }
  }

  async rollback(): Promise<void> {
    const isBroken = await this.#fly([ROLLBACK]).then(
      () => false,
      () => true,
    )
    this.release(isBroken)
  }

  release(isBroken = false): void {
    this.#client.release(isBroken)
  }

  async #fly(statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    // A network or a pooler that silently drops a connection would leave it waiting for a quarter of an hour. The pool
    // destroys a socket that was silent for so long.
    streamOf(this.#client).setTimeout?.(this.#silenceMs)
    const named = this.#prepared.name(this.#client, statements)
    const results = await fly(this.#client, named)
    this.#prepared.keep(this.#client, named)
    return results
  }
}

/**
 * What each connection has parsed and planned, which costs more than running it. Everything that is prepared goes by the ids that it is
 * given, down a primary key. What begins with `with` is planned each time: cascades, where the order in which they lock rows may be
 * had from the wrong index, and changes of events, which have other indexes with ids in them.
 *
 * A pooler may put each transaction on another connection of the server, where a prepared statement is missing: once that was
 * seen, nothing is prepared any more. The failure counts as a conflict, so that the batch runs again.
 */
class PreparedStatements {
  readonly #names = new Map<string, string>()
  readonly #kept = new WeakMap<PoolClient, Set<string>>()
  #isPooled = false

  name(client: PoolClient, statements: readonly Statement[]): readonly NamedStatement[] {
    if (this.#isPooled) return statements
    const kept = this.#kept.get(client)
    return statements.map((statement) => {
      if (!/^\s*(insert|select|update|delete)/.test(statement.text)) return statement
      const name = this.#nameOf(statement.text)
      return { ...statement, name, isNew: !kept?.has(name) }
    })
  }

  /** The flight of these was answered: the connection has them. */
  keep(client: PoolClient, statements: readonly NamedStatement[]): void {
    const kept = this.#kept.get(client) ?? new Set()
    for (const { name, isNew } of statements) if (name && isNew) kept.add(name)
    this.#kept.set(client, kept)
  }

  learn(error: unknown): void {
    this.#isPooled ||= hasLostStatement(error)
  }

  /**
   * Derived from the text, so that no name ever means two statements, even if other code prepares statements on the
   * same connection.
   */
  #nameOf(text: string): string {
    const name = this.#names.get(text) ?? `clerk_sync_${hash('sha256', text).slice(0, 32)}`
    this.#names.set(text, name)
    return name
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

export async function runAll(
  transaction: PGliteTransaction,
  statements: readonly Statement[],
): Promise<Rows> {
  const rows: unknown[][] = []
  for (const statement of statements) {
    const result = await transaction.query(statement.text, [...statement.parameters])
    // PGlite can report success for a statement that failed inside it.
    if (isMissing(statement, result.affectedRows ?? 0)) throw notStored()
    rows.push(result.rows)
  }
  return rows
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
