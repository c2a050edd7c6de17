/** One try of one run: the handler's call, with its time, its transaction and its end. */

import { type ClerkEvent, readContent } from '../clerk/event.ts'
import { ClerkSyncError, type ErrorCode } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { SpanStart, Telemetry } from '../telemetry.ts'
import type { Completions } from './completion.ts'
import type { HandlerContext, HandlerDefinition } from './handler.ts'
import type { ClaimedRun } from './run.ts'
import { Stopwatch } from './stopwatch.ts'
import { callAs } from './stray-rejections.ts'
import { LazyTransaction } from './transaction.ts'
import type { Transactions } from './transactions.ts'

/**
 * How a try ended: a broken one failed because of the database or of this process, not of the handler; a lost one belongs to
 * another worker by now; of an uncalled one the handler was not called.
 */
export type Ending =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed' | 'broken' | 'lost' | 'uncalled'; readonly thrown: unknown }

/** What a try needs of its surroundings. */
export interface Surroundings {
  readonly transactions: Transactions
  readonly completions: Completions
  readonly log: Logger
  readonly telemetry: Telemetry
  /** Notes that the handler is called now. @returns false if the run belongs to another worker by now */
  readonly mark: (run: ClaimedRun) => Promise<boolean>
  /** Called when the handler is done, before its end is written down. */
  readonly onHandled: () => void
}

export class Execution {
  readonly run: ClaimedRun
  readonly startedAt = performance.now()
  /** Never rejects. */
  readonly ended: Promise<Ending>
  readonly #definition: HandlerDefinition
  readonly #around: Surroundings
  readonly #controller = new AbortController()
  readonly #time: Stopwatch
  readonly #transaction: LazyTransaction

  constructor(run: ClaimedRun, definition: HandlerDefinition, around: Surroundings) {
    this.run = run
    this.#definition = definition
    this.#around = around
    const { timeoutMs } = definition
    this.#time = new Stopwatch(timeoutMs, () =>
      this.abort(new ClerkSyncError('handler_timeout', `${timeoutMs / 1_000} s`)),
    )
    this.#transaction = new LazyTransaction(() => this.#begin())
    this.ended = this.#markLast().then(
      () => this.#call(),
      (thrown) => ({ kind: this.#isLost ? 'lost' : 'uncalled', thrown }),
    )
  }

  /** Ends the try, whatever the handler does. */
  abort(reason: ClerkSyncError): void {
    this.#controller.abort(reason)
  }

  /** A last try counts once the handler is called: that must be known before. */
  async #markLast(): Promise<void> {
    if (this.run.attempt !== this.#definition.retryDelays.length + 1) return
    this.#time.pause()
    try {
      if (!(await this.#around.mark(this.run))) throw this.#lost()
      this.#controller.signal.throwIfAborted()
    } finally {
      this.#time.resume()
    }
  }

  async #call(): Promise<Ending> {
    const { telemetry } = this.#around
    try {
      await telemetry.span(
        () => spanOf(this.run),
        () => this.#try(),
      )
      return { kind: 'succeeded' }
    } catch (thrown) {
      return { kind: this.#kindOfFailure(), thrown }
    }
  }

  #kindOfFailure(): 'failed' | 'broken' | 'lost' {
    if (this.#isLost) return 'lost'
    return this.#transaction.isLost || this.#abortCode === 'shutting_down' ? 'broken' : 'failed'
  }

  get #isLost(): boolean {
    return this.#abortCode === 'handler_lost'
  }

  get #abortCode(): ErrorCode | undefined {
    return (this.#controller.signal.reason as ClerkSyncError | undefined)?.code
  }

  async #try(): Promise<void> {
    const { run } = this
    const { completions, onHandled } = this.#around
    try {
      const context = this.#context()
      await this.#untilAborted(() => this.#definition.handle(context))
      if (this.#transaction.hasBegun)
        await this.#transaction.commit(async (client) => {
          if (!(await completions.succeedIn(client, run))) throw this.#lost()
        })
    } catch (error) {
      await this.#transaction.rollback()
      throw error
    } finally {
      this.#time.stop()
    }
    if (this.#transaction.hasBegun) return completions.follow([run])
    // The next run is claimed while this one's end is written down.
    onHandled()
    await completions.succeed(run)
  }

  /** Its run belongs to another worker by now. */
  #lost(): ClerkSyncError {
    const reason = new ClerkSyncError('handler_lost')
    this.abort(reason)
    return reason
  }

  /** Waiting for a connection is not the handler's time. */
  async #begin() {
    const { name, timeoutMs, isTransactional } = this.#definition
    if (!isTransactional) throw new ClerkSyncError('transaction_unavailable', name)
    this.#time.pause()
    try {
      return await this.#around.transactions.begin(timeoutMs, this.#controller.signal)
    } finally {
      this.#time.resume()
    }
  }

  /** @throws {ClerkSyncError} `handler_lost`, `body_gone` or `secrets_forgotten`, if the handler is not to be called */
  #context(): HandlerContext {
    const { eventId, handler, source, outcome, row, changes, attempt, secretsForgotten } = this.run
    const { log } = this.#around
    const body = this.#body()
    let event: ClerkEvent | null = null
    return {
      // Parsed for those who look at it: many handlers need no more than the row.
      get event() {
        event ??= readContent(body).event
        return event
      },
      eventId,
      source,
      outcome,
      row,
      changes,
      attempt,
      secretsForgotten,
      idempotencyKey: `${eventId}:${handler}`,
      signal: this.#controller.signal,
      log: bindLog(log, { handler, eventId, attempt }),
      tx: this.#transaction.handle,
    } as HandlerContext
  }

  #body(): Uint8Array {
    const { run } = this
    const { retryDelays, acceptsForgottenSecrets } = this.#definition
    // Its process ended during every allowed attempt: the handler may be the cause.
    if (run.attempt > retryDelays.length + 1) throw new ClerkSyncError('handler_lost')
    if (run.secretsForgotten && isMessage(run.type) && !acceptsForgottenSecrets)
      throw new ClerkSyncError('secrets_forgotten', run.eventId)
    if (run.body === null) throw new ClerkSyncError('body_gone', run.eventId)
    return run.body
  }

  /** A handler that does not listen to the signal is left behind. */
  async #untilAborted(call: () => unknown): Promise<void> {
    const { signal } = this.#controller
    const { handler, eventId } = this.run
    const aborted = Promise.withResolvers<never>()
    const onAbort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      const work = callAs({ handler, eventId, log: this.#around.log }, async () => call())
      await Promise.race([work, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

/**
 * The first try belongs to the delivery's trace. A later one may come hours after it, when collectors have closed that
 * trace: it begins one of its own, which names the delivery's.
 */
function spanOf({ handler, eventId, type, attempt, traceparent }: ClaimedRun): SpanStart {
  const attributes = {
    'clerk_sync.handler': handler,
    'clerk_sync.event_id': eventId,
    'clerk_sync.event_type': type,
    'clerk_sync.attempt': attempt,
  }
  const context = attempt === 1 ? { parent: traceparent } : { parent: null, link: traceparent }
  return { name: `clerk-sync handler ${handler}`, kind: 'consumer', attributes, ...context }
}

/** Without their codes and links these say nothing, and a customer would get the placeholder. */
function isMessage(type: string): boolean {
  return type === 'email.created' || type === 'sms.created'
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
