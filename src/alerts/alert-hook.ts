/**
 * Posts to a webhook, for example Slack's, when an alert begins and when it ends: for teams without Prometheus. Any
 * number of processes may run the hook; each message is sent by one of them.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { messageOf } from '../database/failure.ts'
import type { Vitals } from '../inspect/vitals.ts'
import type { Logger } from '../log.ts'
import { AlertBook, type DueAlert } from './alert-book.ts'
import { type AlertFormat, bodyOf, runbookOf } from './message.ts'
import { troublesOf } from './troubles.ts'

export interface AlertTarget {
  readonly url: string
  readonly format: AlertFormat
  /** How many milliseconds lie between two looks. */
  readonly everyMs: number
}

interface AlertHookParts {
  readonly target: AlertTarget
  readonly schema: string
  readonly book: AlertBook
  readonly vitals: () => Promise<Vitals>
  readonly log: Logger
}

/** The hook of a configuration, if it has one. */
export function createAlertHook(
  { bookkeeping, schema }: Database,
  { alerts: target, log }: { readonly alerts: AlertTarget | undefined; readonly log: Logger },
  vitals: () => Promise<Vitals>,
): AlertHook | undefined {
  return target && new AlertHook({ target, schema, book: new AlertBook(bookkeeping, schema), vitals, log })
}

const TIMEOUT_MS = 5_000
/** Before each further try of one message. */
const RETRY_DELAYS_MS = [1_000, 3_000]

export class AlertHook {
  readonly #parts: AlertHookParts
  readonly #closing = new AbortController()
  #watching: Promise<void> | undefined
  #looking: Promise<void> | undefined
  #hasFailed = false

  constructor(parts: AlertHookParts) {
    this.#parts = parts
  }

  /** Looks again and again until it is closed. */
  watch(): void {
    this.#watching ??= this.#watch()
  }

  /** Checks once. Never rejects: everything else already reports an unreachable database. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error) =>
        this.#parts.log.debug({ cause: messageOf(error) }, 'failed to check alert conditions'),
      )
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([this.#watching, this.#looking])
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      await this.look()
      await sleep(this.#parts.target.everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const { book, vitals } = this.#parts
    await book.note(troublesOf(await vitals()))
    for (const due of await book.claim()) await this.#notify(due)
  }

  async #notify(due: DueAlert): Promise<void> {
    const { book, log } = this.#parts
    const failure = await this.#send(due)
    if (failure === null) {
      this.#hasFailed = false
      return book.sent(due)
    }
    if (!this.#hasFailed) log.warn({ alert: due.name, failure }, 'the alert hook failed; retrying')
    this.#hasFailed = true
    await book.failed(due, failure)
  }

  /** @returns why it could not be sent */
  async #send(due: DueAlert): Promise<string | null> {
    const { target, schema } = this.#parts
    const message = {
      alert: due.name,
      state: due.ended_at === null ? 'begin' : 'end',
      summary: due.summary,
      since: due.began_at.toISOString(),
      until: due.ended_at?.toISOString() ?? null,
      schema,
      runbook: runbookOf(due.name),
    } as const
    const body = bodyOf(message, target.format)
    let failure = await this.#post(body)
    for (const delay of RETRY_DELAYS_MS) {
      if (failure === null || this.#closing.signal.aborted) break
      await sleep(delay, undefined, { signal: this.#closing.signal, ref: false }).catch(() => undefined)
      failure = await this.#post(body)
    }
    return failure
  }

  /** Leaves out the address, which is a secret: anyone who has it can write to the channel. */
  async #post(body: string): Promise<string | null> {
    try {
      const {
        ok,
        status,
        body: answer,
      } = await fetch(this.#parts.target.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        // An address that was configured is trusted; where it redirects to is not.
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#closing.signal]),
      })
      await answer?.cancel()
      return ok ? null : `it answered ${status}`
    } catch (error) {
      return reasonOf(error)
    }
  }
}

function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } }
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1_000} s`
  return cause?.code ?? 'the connection failed'
}
