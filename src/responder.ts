/** What an adapter talks to: a sync of one's own, or the one that a process makes from its environment. */

import { ClerkSyncError } from './errors.ts'
import { consoleLogger } from './log.ts'
import { RefusalLog } from './refusal-log.ts'
import { type Reply, refuse, toClerkSyncError, type WebhookRequest } from './reply.ts'
import { type ClerkSync, createClerkSync } from './sync.ts'

/**
 * Development servers load modules anew with every edit, and bundlers copy them; each sync has connections of its own.
 * Hence the registry lives on the global object.
 */
const SHARED = Symbol.for('clerk-sync.shared')
const registry = globalThis as { [SHARED]?: ClerkSync }

/**
 * The sync that this process shares: made from the environment when it is first asked for, always the same one after.
 * What the adapters use when they are given no other.
 *
 * @example
 * const users = await sharedClerkSync().database.selectFrom('users').selectAll().execute()
 *
 * @throws {ClerkSyncError} as {@link createClerkSync}; the next call tries again
 */
export function sharedClerkSync(): ClerkSync {
  registry[SHARED] ??= createClerkSync()
  return registry[SHARED]
}

/** A sync, or what gives one when the first request comes. */
export type SyncSource = ClerkSync | (() => ClerkSync)

/** Answers a request with a delivery; never throws. */
export type Responder = (request: WebhookRequest) => Promise<Reply>

/**
 * Answers requests with a sync that may be made by the first of them, so that a missing secret fails neither a build nor
 * the start of an app. Until it can be made, requests are answered 503, and the log says why. For writing adapters.
 *
 * @param source the default is the process's own sync
 */
export function createResponder(source: SyncSource = sharedClerkSync): Responder {
  if (typeof source !== 'function') return (request) => source.handle(request)
  const refusals = new RefusalLog(consoleLogger)
  let made: ClerkSync | undefined
  return async (request) => {
    try {
      made ??= source()
    } catch (error) {
      // The answer is public: which part of the configuration is wrong is for the log alone.
      return refuse(new ClerkSyncError('not_configured'), refusals.add(toClerkSyncError(error)))
    }
    return made.handle(request)
  }
}
