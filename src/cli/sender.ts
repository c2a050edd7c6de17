/** Sends deliveries as `trigger` is told to, and tells what came back. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { ClerkEvent, EventType } from '../index.ts'
import type { SignedDelivery } from '../testing/sign.ts'
import { EXIT, type Failure, failureLines } from './failure.ts'
import type { Output } from './output.ts'
import { describeProblem } from './problems.ts'
import { type Answer, send } from './send.ts'

export interface SendOptions {
  /** Milliseconds from one delivery to the next; each after the answer to the one before if absent. */
  readonly rate?: number
  /** Whether each is sent twice. */
  readonly duplicate?: boolean
  /** Whether the signatures are wrong, so that an answer must be a refusal. */
  readonly forge?: boolean
}

/** An event and the request that delivers it. */
export interface Message {
  readonly event: ClerkEvent
  readonly delivery: SignedDelivery
}

/** Sends messages to a webhook route and tells of each. */
export class Sender {
  readonly #to: URL
  readonly #options: SendOptions
  readonly #output: Output
  /** The codes that were explained: once is enough. */
  readonly #explained = new Set<string>()
  #sent = 0
  #failed = 0

  constructor(to: URL, options: SendOptions, output: Output) {
    this.#to = to
    this.#options = options
    this.#output = output
  }

  /** Sends a message of each type, and sets the exit code if any fails. */
  async sendAll(types: readonly EventType[], createMessage: (type: EventType) => Message): Promise<void> {
    await forEachAtRate(types, this.#options.rate, async (type) => {
      const message = createMessage(type)
      await this.#send(message)
      if (this.#options.duplicate) await this.#send(message)
    })
    if (this.#sent > 1) this.#output.note(`${this.#sent} sent, ${this.#failed} failed`)
    if (this.#failed > 0) process.exitCode = EXIT.failed
  }

  async #send({ event, delivery }: Message): Promise<void> {
    const { json, stdout } = this.#output
    const { dim } = stdout.colors
    if (!json) stdout.line(`→ ${event.type} ${dim(delivery.svixId)}`)
    const answer = await send(this.#to, delivery)
    const failure = this.#options.forge ? judgeForgery(answer) : answer.failure
    this.#sent++
    if (failure) this.#failed++
    if (json) this.#record({ event, delivery }, answer, failure)
    else this.#tell(answer, failure)
  }

  #record({ event, delivery }: Message, { status, ms }: Answer, failure: Failure | null): void {
    this.#output.stdout.record({
      type: 'delivery',
      id: delivery.svixId,
      event_type: event.type,
      resource_id: event.data.id,
      url: this.#to,
      status,
      ms,
      ...(failure && { error: failure }),
    })
  }

  #tell({ status, ms }: Answer, failure: Failure | null): void {
    const { stdout, stderr } = this.#output
    const { green, red } = stdout.colors
    const color = failure ? red : green
    stdout.line(`← ${color(String(status ?? 'no answer'))} POST ${this.#to} ${ms}ms`)
    if (!failure || this.#explained.has(failure.code)) return
    this.#explained.add(failure.code)
    for (const line of failureLines(failure, stderr)) stderr.line(line)
  }
}

/** A forgery must be refused, and for its signature: a route that is not there proves nothing. */
function judgeForgery({ status, failure }: Answer): Failure | null {
  const isRefused = failure?.code === 'signature_mismatch' || failure?.code === 'delivery_refused'
  if (isRefused) return null
  if (failure) return failure
  return describeProblem('forgery_accepted', `it answers ${status}`)
}

/** Works on items at a rate, whatever the work takes; without one, on each after the one before. */
async function forEachAtRate<Item>(
  items: readonly Item[],
  intervalMs: number | undefined,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now()
  const underWay: Promise<void>[] = []
  for (const [index, item] of items.entries()) {
    if (intervalMs === undefined) {
      await work(item)
      continue
    }
    await sleep(Math.max(0, startedAt + index * intervalMs - performance.now()))
    underWay.push(work(item))
  }
  await Promise.all(underWay)
}
