/**
 * Whether a connection that does not answer is dead. A statement may take minutes, and a connection that a network or a
 * pooler silently dropped fails only after a quarter of an hour. So Postgres is asked over another connection.
 */

import type { Client, PoolClient, PoolConfig } from 'pg'
import { streamOf } from './stream.ts'

/** With the time to ask, less than the half minute that anything may take to recover. */
export const ASKED_AFTER_MS = 20_000
const ANSWER_MS = 2_000

/** Whether its user waits for an answer, rather than doing something else in the middle of a transaction. */
export function owesAnswer(client: PoolClient): boolean {
  return !internalsOf(client).readyForQuery
}

/** @param options for one more connection */
export async function isWorkedOn(client: PoolClient, options: PoolConfig): Promise<boolean> {
  const { default: pg } = await import('pg')
  const asking = new pg.Client({ ...options, query_timeout: ANSWER_MS })
  asking.on('error', () => undefined)
  try {
    await asking.connect()
    return await isActive(asking, internalsOf(client).processID ?? 0)
  } catch {
    return false
  } finally {
    streamOf(asking).destroy?.()
  }
}

/**
 * Behind a pooler the process is another one than the connection says: then one of ours that has been working for as long
 * is taken for it.
 */
async function isActive(asking: Client, pid: number): Promise<boolean> {
  const { rows } = await asking.query(
    `select from pg_stat_activity where state = 'active' and (
      pid = $1 or not exists (select from pg_stat_activity where pid = $1)
        and pid <> pg_backend_pid() and usename = current_user
        and application_name = current_setting('application_name')
        and query_start < clock_timestamp() - interval '${ASKED_AFTER_MS - 1_000} milliseconds'
    ) limit 1`,
    [pid],
  )
  return rows.length > 0
}

/** What `pg` keeps of a connection, which its types do not show. */
interface Internals {
  readonly readyForQuery: boolean
  readonly processID: number | null
}

function internalsOf(client: PoolClient): Internals {
  return client as unknown as Internals
}
