/** One try of one run: the handler's call, with its time, its transaction and its end. */

import { readContent } from '../clerk/event.ts'
import type { Database } from '../database/database.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { HandlerContext, HandlerDefinition } from './handler.ts'
import type { ClaimedRun, Runs } from './runs.ts'
import { LazyTransaction } from './transaction.ts'

/** How a try ended; what it threw, if it failed. */
export type Ending = { readonly isDone: true } | { readonly isDone: false; readonly thrown: unknown }

/** What a try needs of its surroundings. */
export interface Surroundings {
  readonly database: Database
  readonly runs: Runs
  readonly log: Logger
  /** Notes a run as done that wrote nothing through its transaction. */
  readonly complete: (run: ClaimedRun) => Promise<void>
}

export class Execution {
  readonly run: ClaimedRun
  readonly startedAt = performance.now()
  /** Never rejects. */
  readonly ended: Promise<Ending>
  readonly #controller = new AbortController()

  constructor(run: ClaimedRun, definition: HandlerDefinition, row: object | null, around: Surroundings) {
    this.run = run
    this.ended = this.#try(definition, row, around).then(
      () => ({ isDone: true }),
      (thrown) => ({ isDone: false, thrown }),
    )
  }

  /** Ends the try, whatever the handler does. */
  abort(reason: ClerkSyncError): void {
    this.#controller.abort(reason)
  }

  async #try(definition: HandlerDefinition, row: object | null, around: Surroundings): Promise<void> {
    const { run } = this
    const { timeoutMs, isTransactional, retryDelays } = definition
    // Its process ended in the middle, as often as it may be tried: it may be the cause.
    if (run.attempt > retryDelays.length + 1) throw new ClerkSyncError('handler_lost')
    const transaction = new LazyTransaction(async () => {
      if (!isTransactional) throw new ClerkSyncError('transaction_unavailable', definition.name)
      return around.database.begin(timeoutMs)
    })
    const timeout = setTimeout(
      () => this.abort(new ClerkSyncError('handler_timeout', `${timeoutMs / 1_000} s`)),
      timeoutMs,
    )
    try {
      const context = contextOf(run, row, transaction, this.#controller.signal, around.log)
      await untilAborted(this.#controller.signal, async () => definition.handle(context))
      if (!transaction.hasBegun) return await around.complete(run)
      await transaction.commit((client) => around.runs.succeedIn(client, run))
      await around.runs.followUp([run])
    } catch (error) {
      await transaction.rollback()
      throw error
    } finally {
      clearTimeout(timeout)
    }
  }
}

function contextOf(
  run: ClaimedRun,
  row: object | null,
  transaction: LazyTransaction,
  signal: AbortSignal,
  log: Logger,
): HandlerContext {
  const { eventId, handler, source, outcome, changes, attempt } = run
  // What is stored of an event is an event, unless its body was dropped since.
  const event = run.body && readContent(run.body).event
  if (!event) throw new ClerkSyncError('body_gone', eventId)
  const idempotencyKey = `${eventId}:${handler}`
  const bound = bindLog(log, { handler, eventId, attempt })
  const context = {
    event,
    eventId,
    source,
    outcome,
    row,
    changes,
    attempt,
    idempotencyKey,
    signal,
    log: bound,
  }
  return { ...context, tx: transaction.handle } as HandlerContext
}

/** Each line of a handler says whose it is. JavaScript may leave the fields out, as pino lets it. */
function bindLog(log: Logger, bound: object): Logger {
  const line = (level: keyof Logger) => (fields: unknown, message?: string) =>
    typeof fields === 'string'
      ? log[level](bound, fields)
      : log[level]({ ...bound, ...(fields as object) }, String(message ?? ''))
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
  }
}

/** A handler that does not listen to the signal is left behind. */
async function untilAborted(signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    await Promise.race([work(), aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
