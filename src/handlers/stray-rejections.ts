/**
 * Promises that a handler leaves behind and that reject later: Node would end the process for them, with everything
 * else that runs in it. The async context identifies the handler; all other rejections are ignored.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { messageOf } from '../database/failure.ts'
import type { Logger } from '../log.ts'
import type { RunKey } from './run.ts'

interface Caller extends RunKey {
  readonly log: Logger
}

const callers = new AsyncLocalStorage<Caller>()
let listening = 0

/** Calls a handler so that it is known what it leaves behind. */
export function callAs<Result>(caller: Caller, call: () => Result): Result {
  return callers.run(caller, call)
}

/** From now on stray rejections of handlers are logged; to be called once for each worker that begins. */
export function catchStrays(): void {
  if (listening++ === 0) process.on('unhandledRejection', onRejection)
}

/** Once for each worker that ends. */
export function releaseStrays(): void {
  if (--listening === 0) process.off('unhandledRejection', onRejection)
}

function onRejection(reason: unknown): void {
  const caller = callers.getStore()
  if (caller === undefined) passOn(reason)
  else report(caller, reason)
}

function report({ handler, eventId, log }: Caller, reason: unknown): void {
  log.error(
    { handler, eventId, cause: messageOf(reason) },
    'a promise that the handler did not await was rejected',
  )
}

/** As if this listener was not there: without another one, Node makes it an uncaught exception. */
function passOn(reason: unknown): void {
  if (process.listenerCount('unhandledRejection') === 1) throw reason
}
