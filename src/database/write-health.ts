/** Whether the database accepts writes: by its own answer, and by the result of the latest delivery. */

import type { Kysely } from 'kysely'
import { ClerkSyncError } from '../errors.ts'
import { available } from './failure.ts'
import { query } from './query.ts'
import type { ClerkTables } from './tables.ts'

/** A full disk is only noticed by writing. Where a load balancer sends no more deliveries, nothing else would lift it. */
const REMEMBERED_MS = 15_000

export class WriteHealth {
  #failure: { readonly error: ClerkSyncError; readonly at: number } | undefined

  /** Records the result of a write and passes it on. */
  async observe<Result>(write: Promise<Result>): Promise<Result> {
    try {
      const result = await write
      this.#failure = undefined
      return result
    } catch (error) {
      if (error instanceof ClerkSyncError && error.code === 'database_disk_full')
        this.#failure = { error, at: performance.now() }
      throw error
    }
  }

  /** @throws {ClerkSyncError} `database_read_only`, `database_disk_full` or `database_unavailable` */
  async check(database: Kysely<ClerkTables>): Promise<void> {
    await requireWritable(database)
    const failure = this.#failure
    if (failure && performance.now() - failure.at < REMEMBERED_MS) throw failure.error
  }
}

/** As a failure, so that the connection is thrown away: after a failover the next one leads elsewhere. */
const REFUSE_READ_ONLY = `
  do $$ begin
    if current_setting('transaction_read_only')::boolean then
      raise read_only_sql_transaction using message = case when pg_is_in_recovery()
        then 'it is a standby' else 'default_transaction_read_only is on' end;
    end if;
  end $$`

/** Writes nothing. */
export async function requireWritable(database: Kysely<ClerkTables>): Promise<void> {
  await available(query(database, REFUSE_READ_ONLY))
}
