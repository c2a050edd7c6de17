/** What an adapter talks to: a sync of one's own, or the one that a process makes from its environment. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ClerkSyncOptions } from './config.ts'
import { ClerkSyncError } from './errors.ts'
import { consoleLogger } from './log.ts'
import { RefusalLog } from './refusal-log.ts'
import { type Reply, refuse, toClerkSyncError, type WebhookRequest } from './reply.ts'
import { type ClerkSync, createClerkSync } from './sync.ts'

/**
 * Development servers reload modules with every edit, bundlers copy them, and each sync opens its own connections:
 * hence the registry lives on the global object.
 */
const SHARED = Symbol.for('clerk-sync.shared')
const registry = globalThis as { [SHARED]?: Shared }

interface Shared {
  readonly sync: ClerkSync
  /** Whether it was made with options of the app's. */
  readonly isConfigured: boolean
}

/**
 * The sync that this process shares: made when it is first asked for, always the same one after. What the adapters use
 * when they are given no other. Without options it is made from the environment; the first call with options replaces
 * such a one, so that no page which reads a table first can leave the handlers of the configuration out.
 *
 * @param options the default export of `clerk-sync.config.ts`
 *
 * @example
 * const users = await sharedClerkSync(config).database.selectFrom('users').selectAll().execute()
 *
 * @throws {ClerkSyncError} as {@link createClerkSync}; the next call tries again
 */
export function sharedClerkSync(options?: ClerkSyncOptions): ClerkSync {
  const shared = registry[SHARED]
  const isConfigured = options !== undefined
  if (shared && (shared.isConfigured || !isConfigured)) return shared.sync
  const sync = createClerkSync(options)
  registry[SHARED] = { sync, isConfigured }
  void shared?.sync.close().catch(() => undefined)
  return sync
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

/** A database that starts later than the app is usually there by then. */
const WORK_RETRY_MS = 5_000

/**
 * Runs the handlers in this process as long as it lives: for servers that stay. What prevents it, such as a database that
 * is not there yet, is logged, and tried again every five seconds. Another call for the same source changes nothing.
 *
 * @param source the default is the process's own sync
 *
 * @example
 * workInBackground(() => sharedClerkSync(config))
 */
export function workInBackground(source: SyncSource = sharedClerkSync): void {
  if (working.has(source)) return
  working.add(source)
  void workUntilItDoes(source)
}

/** A route that calls it with every request begins once. */
const working = new WeakSet<SyncSource>()

async function workUntilItDoes(source: SyncSource): Promise<void> {
  for (let told = ''; ; ) {
    try {
      const sync = typeof source === 'function' ? source() : source
      await sync.check()
      return await sync.work()
    } catch (error) {
      const { code, message, remedy } = toClerkSyncError(error)
      if (code === 'shutting_down') return
      if (message !== told) consoleLogger.error({ code, remedy }, `Handlers do not run yet: ${message}`)
      told = message
      await sleep(WORK_RETRY_MS, undefined, { ref: false })
    }
  }
}
