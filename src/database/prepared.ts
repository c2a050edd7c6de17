/** A pool for transactions that repeat the same statements all day, with as little said over the wire as possible. */

import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { hasLostStatement } from './failure.ts'

/** Names by text. */
const NAMES = new Map<string, string>()

/**
 * Marks a text as one that Postgres is to parse and plan once for a connection, which costs more than running it.
 *
 * Only for what can be done in one way, such as inserting rows: any other plan may be made while a table is empty, and
 * kept while it grows to millions of rows. A statement is kept for as long as its connection lives, so that texts must
 * not hold values.
 * @returns the text
 */
export function prepared(text: string): string {
  // From the text, so that no name ever means two things, whoever else prepares on the same connection.
  NAMES.set(text, `clerk_sync_${hash('sha256', text).slice(0, 32)}`)
  return text
}

/**
 * The pool, preparing what is marked, with a limit to what a statement in a transaction may take.
 *
 * A pooler between us and Postgres may put each transaction on another of the server's connections. There a prepared
 * statement is missing, or there already: once such a failure is seen nothing is prepared any more, and it counts as a
 * conflict between transactions, so that the work is run again. For the same reason the limit is the transaction's own:
 * what is set for a session may reach somebody else's.
 */
export function repetitive(pool: Pool, statementTimeoutMs: number): PostgresPool {
  const begin = `begin; set local statement_timeout = ${statementTimeoutMs}`
  let isPooled = false

  async function connect(): Promise<PostgresPoolClient> {
    const client = await pool.connect()
    async function query(text: string, values: readonly unknown[]) {
      const name = isPooled ? undefined : NAMES.get(text)
      sendTogether(client)
      try {
        return await client.query({
          text: text === 'begin' ? begin : text,
          values: [...values],
          ...(name && { name }),
        })
      } catch (error) {
        isPooled ||= hasLostStatement(error)
        throw error
      }
    }
    return {
      query,
      release: (isBroken?: boolean) => client.release(isBroken),
    } as unknown as PostgresPoolClient
  }

  return { connect, end: () => pool.end(), options: pool.options }
}

/** What is asked in one turn of the event loop goes out as one write. */
function sendTogether(client: PoolClient): void {
  const stream = streamOf(client)
  stream.cork?.()
  process.nextTick(() => stream.uncork?.())
}

/** Not in pg's types. A stream that somebody else made may not know everything that a socket does. */
export function streamOf(client: PoolClient): Partial<Socket> {
  return (client as unknown as { connection: { stream: Partial<Socket> } }).connection.stream
}
