/** How far the database is from here. */

import type { Kysely } from 'kysely'
import { query } from '../database/query.ts'
import type { ClerkTables } from '../database/tables.ts'

/** A delivery waits for two round trips, a look at the dashboard for several. */
export const FAR_MS = 20
const TRIES = 5

/** The median of a few round trips over one connection, in milliseconds. */
export function measureRoundTrip(database: Kysely<ClerkTables>): Promise<number> {
  return database.connection().execute(async (connection) => {
    // Plans, and whatever else the first statement of a connection costs.
    await query(connection, 'select 1')
    const times: number[] = []
    for (let tries = 0; tries < TRIES; tries++) {
      const startedAt = performance.now()
      await query(connection, 'select 1')
      times.push(performance.now() - startedAt)
    }
    const median = times.sort((a, b) => a - b)[Math.floor(TRIES / 2)] as number
    return Math.round(median * 100) / 100
  })
}

/** "34 ms", "0.4 ms" */
export function formatRoundTrip(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`
}
