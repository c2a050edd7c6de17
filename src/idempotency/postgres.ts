/**
 * In Postgres: the claim is a row, inserted in a transaction that stays open while the work is done.
 *
 * Others who insert the same row wait for that transaction. When it commits they find a duplicate; when it fails, or its
 * process dies, the database takes the row back and one of them goes on. No lease, no clock, no clean-up.
 */

import type { Pool, PoolClient } from 'pg'
import { quoteIdentifier } from '../database/identifier.ts'
import type { Claim, IdempotencyStore, Verdict } from './store.ts'

/** The parts of `pg`'s pool that are used. */
export type PoolLike = Pick<Pool, 'connect'>

export interface PostgresStoreOptions {
  /**
   * The table, which is created when it is missing.
   * @default "clerk_processed_events"
   */
  readonly table?: string | undefined
}

/**
 * Remembers processed messages in Postgres. What the work writes through the client that it is given is committed with
 * the memory of it: exactly once.
 *
 * @example
 * const store = postgresStore(new pg.Pool({ connectionString }))
 */
export function postgresStore(
  pool: PoolLike,
  { table = 'clerk_processed_events' }: PostgresStoreOptions = {},
): IdempotencyStore<PoolClient> {
  const name = table.split('.').map(quoteIdentifier).join('.')
  let created: Promise<void> | undefined
  return {
    async once(claim, work) {
      created ??= createTable(pool, name).catch((error) => {
        created = undefined
        throw error
      })
      await created
      return inTransaction(pool, (client) => processOnce(client, name, claim, work))
    },
  }
}

/** Two processes that create a table at once collide even with `if not exists`; the lock lets one go first. */
async function createTable(pool: PoolLike, name: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    await client.query(`create table if not exists ${name} (
      svix_id text primary key, event_type text not null, processed_at timestamptz not null default now()
    )`)
  })
}

async function processOnce(
  client: PoolClient,
  name: string,
  { svixId, eventType, waitMs }: Claim,
  work: (client: PoolClient) => unknown,
): Promise<Verdict> {
  // Null would mean: wait for ever.
  await client.query(`select set_config('lock_timeout', $1, true)`, [`${Math.max(1, Math.ceil(waitMs))}ms`])
  const insert = `insert into ${name} (svix_id, event_type) values ($1, $2) on conflict do nothing`
  const claimed = await client.query(insert, [svixId, eventType]).catch((error) => {
    if (error.code === LOCK_NOT_AVAILABLE) return null
    throw error
  })
  if (claimed === null) return 'in_progress'
  if (claimed.rowCount === 0) return 'duplicate'
  await client.query(`select set_config('lock_timeout', '0', true)`)
  await work(client)
  return 'processed'
}

const LOCK_NOT_AVAILABLE = '55P03'

async function inTransaction<Result>(
  pool: PoolLike,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // A connection that is lost fails the query in flight, and also emits an error, which would end the process.
  const ignore = () => undefined
  client.on('error', ignore)
  let isBroken = true
  try {
    await client.query('begin')
    const result = await work(client)
    const { command } = await client.query(result === 'in_progress' ? 'rollback' : 'commit')
    isBroken = false
    // Postgres answers the commit of a transaction in which a statement had failed with a rollback, and no error.
    if (command === 'ROLLBACK' && result !== 'in_progress')
      throw new Error('a statement had failed, so nothing was committed')
    return result
  } catch (error) {
    isBroken = await client.query('rollback').then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    client.off('error', ignore)
    client.release(isBroken)
  }
}
