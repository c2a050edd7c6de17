/** The sending half of a simulated Svix: schedules messages, and reacts to each answer. */

import type { ClerkEvent } from '../../clerk/event.ts'
import { Random } from '../random.ts'
import { createSvixId, type SignedDelivery, type Signer, signBody, toBody } from '../sign.ts'
import {
  type Attempt,
  type AttemptStatus,
  type DeliveryReport,
  isAccepted,
  type MessageReport,
  reportOn,
} from './report.ts'
import { type Deliver, forge } from './requests.ts'
import { retryDelay } from './schedule.ts'

/** The options of a simulated Svix, complete. */
export interface Settings {
  readonly deliver: Deliver
  readonly secret: string | readonly string[]
  readonly sign: Signer
  readonly seed: number
  readonly timeScale: number
  readonly timeoutMs: number
  readonly concurrency: number
  readonly duplicates: number
  readonly reorder: number
  readonly delayMs: number
  readonly forgeries: number
}

interface Message {
  readonly svixId: string
  readonly type: string
  /** Its place in the order of sending. */
  readonly index: number
  /** Its own, so that what happens to it does not depend on the others' speed. */
  readonly random: Random
  readonly attempts: Attempt[]
  readonly isRepeated: boolean
  state: MessageReport['state']
  failures: number
}

/** A request to be made. The body is here and not in the message, so that it goes with its last request. */
interface Job {
  readonly message: Message
  readonly kind: Attempt['kind']
  readonly body: Uint8Array<ArrayBuffer>
}

/** Sends messages until each was accepted or given up. */
export class Sender {
  readonly #settings: Settings
  readonly #messages: Message[] = []
  /** Jobs whose time has come, in two stacks: what comes in, and what goes out in the same order. */
  #incoming: Job[] = []
  #outgoing: Job[] = []
  /** Jobs whose time has not come. */
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<AbortController>()
  #waiting: (() => void)[] = []
  #latestStarted = -1
  #reordered = 0

  constructor(settings: Settings) {
    this.#settings = settings
  }

  send(events: ClerkEvent | readonly ClerkEvent[]): void {
    for (const event of [events].flat() as ClerkEvent[]) this.#accept(event)
    this.#startJobs()
  }

  async settled(): Promise<void> {
    if (!this.#isIdle()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#incoming = []
    this.#outgoing = []
    for (const attempt of this.#running) attempt.abort('stopped')
    this.#resolveIfIdle()
    await this.settled()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  report(): DeliveryReport {
    const messages = this.#messages.map(({ svixId, type, attempts, state }) => {
      return { svixId, type, attempts: [...attempts], state }
    })
    return reportOn(messages, this.#reordered)
  }

  #accept(event: ClerkEvent): void {
    const { seed, duplicates, reorder, forgeries } = this.#settings
    const index = this.#messages.length
    const random = new Random(seed, index)
    const message: Message = {
      svixId: createSvixId(),
      type: event.type,
      index,
      random,
      attempts: [],
      isRepeated: random.chance(duplicates),
      state: 'pending',
      failures: 0,
    }
    const body = toBody(event)
    this.#messages.push(message)
    if (random.chance(forgeries)) this.#schedule({ message, kind: 'forgery', body }, 0)
    this.#schedule({ message, kind: 'delivery', body }, random.chance(reorder) ? this.#anyDelay(message) : 0)
  }

  /** @param delay in milliseconds of Svix's time */
  #schedule(job: Job, delay: number): void {
    if (delay === 0) {
      this.#incoming.push(job)
      return
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#incoming.push(job)
      this.#startJobs()
    }, delay * this.#settings.timeScale)
    this.#timers.add(timer)
  }

  #startJobs(): void {
    while (this.#running.size < this.#settings.concurrency) {
      const job = this.#nextJob()
      if (job === undefined) return
      void this.#run(job)
    }
  }

  #nextJob(): Job | undefined {
    if (this.#outgoing.length === 0) {
      this.#outgoing = this.#incoming.reverse()
      this.#incoming = []
    }
    return this.#outgoing.pop()
  }

  async #run(job: Job): Promise<void> {
    const { message, kind } = job
    if (kind === 'delivery' && message.failures === 0) this.#noteOrder(message)
    const controller = new AbortController()
    this.#running.add(controller)
    const attempt = await this.#attempt(job, controller)
    this.#running.delete(controller)
    message.attempts.push(attempt)
    if (kind === 'delivery') this.#follow(job, attempt.status)
    this.#startJobs()
    this.#resolveIfIdle()
  }

  #noteOrder({ index }: Message): void {
    if (index < this.#latestStarted) this.#reordered++
    this.#latestStarted = Math.max(index, this.#latestStarted)
  }

  async #attempt(job: Job, controller: AbortController): Promise<Attempt> {
    const { deliver, timeoutMs } = this.#settings
    const { kind } = job
    const { signal } = controller
    const at = new Date()
    const timer = setTimeout(() => controller.abort('timeout'), timeoutMs)
    try {
      const status = await Promise.race([deliver(this.#requestFor(job, at), signal), aborted(signal)])
      return { at, kind, status }
    } catch (error) {
      if (signal.aborted) return { at, kind, status: signal.reason as AttemptStatus }
      return { at, kind, status: 'no_answer', error }
    } finally {
      clearTimeout(timer)
    }
  }

  #requestFor({ message, kind, body }: Job, at: Date): SignedDelivery {
    const { secret, sign } = this.#settings
    const genuine = signBody(body, { secret, svixId: message.svixId, at }, sign)
    return kind === 'forgery' ? forge(genuine, sign, message.random) : genuine
  }

  /** Decides what comes after a delivery. */
  #follow(job: Job, status: AttemptStatus): void {
    const { message } = job
    if (status === 'stopped') return
    if (isAccepted(status)) {
      message.state = 'accepted'
      if (message.isRepeated) this.#schedule({ ...job, kind: 'duplicate' }, this.#anyDelay(message))
      return
    }
    message.failures++
    const isOverloaded = status === 'timeout' || status === 429
    const delay = retryDelay(message.failures, isOverloaded, message.random)
    if (delay === undefined) message.state = 'exhausted'
    else this.#schedule(job, delay)
  }

  #anyDelay({ random }: Message): number {
    return random.integer(1, this.#settings.delayMs)
  }

  #isIdle(): boolean {
    const queued = this.#incoming.length + this.#outgoing.length
    return queued + this.#timers.size + this.#running.size === 0
  }

  #resolveIfIdle(): void {
    if (!this.#isIdle()) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

/** Rejects when the signal fires, for receivers that do not heed it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', reject, { once: true }))
}
