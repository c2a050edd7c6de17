/** The database's clock, which is the one that everything is stored by. */

import { type Kysely, sql } from 'kysely'
import type { ClerkTables } from './tables.ts'

/**
 * In SQL, a time after everything that was stored until now. Stored times are rounded to a millisecond, so they may be later than the
 * clock, and a time that JavaScript has read is cut to one. What is stored within the next 2 ms may come before it as well.
 */
export const AFTER_NOW = `clock_timestamp() + interval '2 milliseconds'`

/** @returns a time after everything that was stored until now */
export async function timeAfterNow(database: Kysely<ClerkTables>): Promise<Date> {
  const { now } = await database
    .selectNoFrom(sql<Date>`${sql.raw(AFTER_NOW)}`.as('now'))
    .executeTakeFirstOrThrow()
  return now
}
