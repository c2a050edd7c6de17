/** A route that runs due handlers, for a cron job in serverless apps. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { cronEnvironment } from './config.ts'
import { ClerkSyncError } from './errors.ts'
import { consoleLogger } from './log.ts'
import { RefusalLog } from './refusal-log.ts'
import { type Reply, refuse, toClerkSyncError } from './reply.ts'
import { type SyncSource, sharedClerkSync } from './responder.ts'

/** How long one call goes on. Platforms end a function after 60 seconds or more. */
const MAX_SECONDS = 40

/** Answers a request of the cron job's; never throws. @param authorization the header of that name */
export type DrainResponder = (authorization: string | null | undefined) => Promise<Reply>

/**
 * Creates what answers a cron job that calls for `sync.drain()`. In production it must send CRON_SECRET, as Vercel's does:
 * `Authorization: Bearer …`. For writing adapters.
 *
 * @param source the default is the process's own sync
 */
export function createDrainResponder(source: SyncSource = sharedClerkSync): DrainResponder {
  const refusals = new RefusalLog(consoleLogger)
  return async (authorization) => {
    try {
      requireSecret(authorization)
      const sync = typeof source === 'function' ? source() : source
      const result = await sync.drain({ maxSeconds: MAX_SECONDS })
      return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result) }
    } catch (error) {
      const refusal = toClerkSyncError(error)
      return refuse(refusal, refusals.add(refusal))
    }
  }
}

function requireSecret(authorization: string | null | undefined): void {
  const { secret, isProduction } = cronEnvironment()
  if (secret === undefined && !isProduction) return
  if (secret === undefined) throw new ClerkSyncError('cron_secret_missing')
  // Digests have one length, whatever was sent.
  const isRight = timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${secret}`))
  if (!isRight) throw new ClerkSyncError('cron_secret_wrong')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
