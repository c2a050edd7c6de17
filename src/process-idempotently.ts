/** Runs code once per message, for apps that keep their own tables and need no sync. */

import type { Pool, PoolClient } from 'pg'
import { resolveConfig } from './config.ts'
import { ClerkSyncError } from './errors.ts'
import { postgresStore } from './idempotency/postgres.ts'
import type { IdempotencyStore } from './idempotency/store.ts'
import { requireNumber } from './validate.ts'

export interface IdempotencyOptions<Context> {
  /**
   * The store of processed messages: `postgresStore(pool)` or `redisStore(redis)`.
   * @default the Postgres at DATABASE_URL
   */
  readonly store?: IdempotencyStore<Context> | undefined
  /**
   * How many seconds to wait for another process that handles the same message. Svix waits 15 seconds for an answer.
   * @default 10
   */
  readonly waitSeconds?: number | undefined
}

export interface IdempotencyResult {
  /** The handler ran, and succeeded. */
  readonly processed: boolean
  /** The message had been processed before. */
  readonly duplicate: boolean
  /**
   * Another process is still handling the message. Answer with a 503, so that the sender retries: that process may
   * still fail.
   */
  readonly inProgress: boolean
}

/**
 * Runs the handler unless this message was processed before.
 *
 * The claim is atomic: of several callers at once, one runs the handler and the others wait. If the first attempt
 * failed or its process died, the next delivery runs the handler. In Postgres, what the handler writes through the
 * client it is given is committed together with the claim.
 *
 * @param svixId the `svix-id` header, the same for every delivery of a message
 * @example
 * const { svixId, event } = await verify(request.body ?? '', request.headers)
 * const { inProgress } = await processIdempotently(svixId, event.type, async (client) => {
 *   await client.query('insert into profiles (user_id) values ($1)', [event.data.id])
 * })
 * return new Response(null, { status: inProgress ? 503 : 200 })
 *
 * @throws what the handler throws: answer with a 500, and the message comes again
 */
export async function processIdempotently<Context = PoolClient>(
  svixId: string,
  eventType: string,
  handler: (context: Context) => unknown,
  { store, waitSeconds = 10 }: IdempotencyOptions<Context> = {},
): Promise<IdempotencyResult> {
  if (svixId === '') throw new ClerkSyncError('option_invalid', 'svixId is empty; it is the svix-id header')
  requireNumber('waitSeconds', waitSeconds, 'limit')
  const chosen = store ?? ((await defaultStore()) as IdempotencyStore<unknown> as IdempotencyStore<Context>)
  const verdict = await chosen.once({ svixId, eventType, waitMs: waitSeconds * 1_000 }, handler)
  return {
    processed: verdict === 'processed',
    duplicate: verdict === 'duplicate',
    inProgress: verdict === 'in_progress',
  }
}

let opened: Promise<IdempotencyStore<PoolClient>> | undefined

function defaultStore(): Promise<IdempotencyStore<PoolClient>> {
  opened ??= openStore().catch((error) => {
    opened = undefined
    throw error
  })
  return opened
}

async function openStore(): Promise<IdempotencyStore<PoolClient>> {
  const { database } = resolveConfig({}, process.env)
  if (typeof database === 'string' && !/^postgres(ql)?:/.test(database)) {
    throw new ClerkSyncError(
      'option_invalid',
      'processIdempotently needs a store, or a Postgres in DATABASE_URL',
    )
  }
  const { default: pg } = await import('pg')
  const pool: Pool = new pg.Pool(typeof database === 'string' ? { connectionString: database } : database)
  pool.on('error', () => undefined)
  return postgresStore(pool)
}
