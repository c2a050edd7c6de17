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
      'A promise was rejected and nobody handled it. Handlers must await every promise they start; this one failed unnoticed, and its event counts as handled.',
    ),
  )
}
