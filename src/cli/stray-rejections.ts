/** Rejections that nobody handles: a handler's promise that it did not await, most likely. */

import { inspect } from 'node:util'
import type { Logger } from '../log.ts'

/**
 * Logs them, where Node would end the process: deliveries and other handlers must not suffer from one handler's mistake.
 * Exceptions that nobody catches still end it, because they may have left anything half done.
 */
export function logStrayRejections(log: Logger): void {
  process.on('unhandledRejection', (reason) =>
    log.error(
      { cause: inspect(reason) },
      'Unhandled promise rejection. A handler did not await a promise that it started, so the event counts as handled although the promise failed. Await every promise.',
    ),
  )
}
