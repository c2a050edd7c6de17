/**
 * A transaction in one flight: its statements depend on nothing that an earlier one read, so that they go out as one write. Between app
 * and database they cost one round trip. Postgres ends the transaction with the flight.
 */

import { type Rows, runAll } from './batch.ts'
import type { ConnectionSource } from './connections.ts'
import type { PGlite } from './embedded.ts'
import { fly } from './flight.ts'
import type { Statement } from './query.ts'

/** Runs statements in their order, all or none. @returns the rows of each */
export type RunTogether = (statements: readonly Statement[]) => Promise<Rows>

export function togetherOnPostgres(connections: ConnectionSource): RunTogether {
  return async (statements) => {
    const client = await connections.connect()
    try {
      return (await fly(client, statements)).map(({ rows }) => rows)
    } finally {
      // The pool throws it away if it broke.
      client.release()
    }
  }
}

export function togetherOnPGlite(open: () => Promise<PGlite>): RunTogether {
  return async (statements) => (await open()).transaction((transaction) => runAll(transaction, statements))
}
