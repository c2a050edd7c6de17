/**
 * Sends as Svix does, and signs without clerk-sync's code: eight attempts on its schedule, each with a time and a signature
 * of its own, 15 seconds for an answer, duplicates now and then. https://docs.svix.com/retries
 */

import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { ChaosEvent, Traffic } from './traffic.ts'

/** Before each attempt, in seconds. */
const SCHEDULE = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
const JITTER = 0.2
/** After a request that timed out, at least so many seconds. */
const TIMEOUT_PENALTY = 60
const TIMEOUT_MS = 15_000
const DUPLICATES = 0.03

type Outcome = 'accepted' | 'refused' | 'unreachable' | 'timeout'

export interface Message {
  readonly event: ChaosEvent
  readonly sentAt: number
  attempts: number
  ackedAt: number | null
  /** Its schedule is over; an operator recovers such messages in Svix. */
  isExhausted: boolean
}

export interface SenderOptions {
  readonly targets: readonly string[]
  readonly secret: string
  readonly random: Random
  /** How many times faster than Svix its schedule passes. */
  readonly compress: number
}

export class Sender {
  readonly messages: Message[] = []
  /** When a 2xx came, in milliseconds since 1970. */
  readonly acceptedAt: number[] = []
  readonly outcomes: Record<Outcome, number> = { accepted: 0, refused: 0, unreachable: 0, timeout: 0 }
  duplicates = 0
  readonly #options: SenderOptions
  readonly #key: Buffer
  readonly #timers = new Set<NodeJS.Timeout>()
  #turn = 0

  constructor(options: SenderOptions) {
    this.#options = options
    this.#key = Buffer.from(options.secret.slice('whsec_'.length), 'base64')
  }

  send(event: ChaosEvent): void {
    const message = { event, sentAt: Date.now(), attempts: 0, ackedAt: null, isExhausted: false }
    this.messages.push(message)
    void this.#attempt(message)
  }

  /** At a steady rate, whatever becomes of what was sent before: that is how a sender behaves. */
  async sendUntil(isOver: () => boolean, traffic: Traffic, rate: number): Promise<void> {
    const startedAt = Date.now()
    for (let sent = 0; !isOver(); ) {
      const due = ((Date.now() - startedAt) * rate) / 1_000
      for (; sent < due; sent++) this.send(traffic.next())
      await sleep(5)
    }
  }

  /** Messages sent before a moment that Svix goes on trying and nobody has accepted yet. */
  waiting(before: number): number {
    return this.messages.filter(
      ({ ackedAt, isExhausted, sentAt }) => ackedAt === null && !isExhausted && sentAt < before,
    ).length
  }

  /** As "Recover failed messages" in Svix's dashboard, again and again, until all are accepted or the time is over. */
  async recover(milliseconds: number): Promise<void> {
    const end = Date.now() + milliseconds
    this.stop()
    while (Date.now() < end) {
      const open = this.messages.filter(({ ackedAt }) => ackedAt === null).slice(0, 32)
      if (open.length === 0) return
      const outcomes = await Promise.all(open.map((message) => this.#post(message)))
      if (outcomes.every((outcome) => outcome !== 'accepted')) await sleep(200)
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  async #attempt(message: Message): Promise<void> {
    const outcome = await this.#post(message)
    if (outcome !== 'accepted') this.#retry(message, outcome)
    else if (this.#options.random.chance(DUPLICATES)) this.#repeat(message)
  }

  #repeat(message: Message): void {
    this.duplicates++
    this.#later(this.#options.random.between(0, 2_000), () => this.#post(message))
  }

  #retry(message: Message, outcome: Outcome): void {
    if (message.ackedAt !== null) return
    const step = SCHEDULE[message.attempts]
    message.isExhausted = step === undefined
    if (step === undefined) return
    const seconds = outcome === 'timeout' ? Math.max(step, TIMEOUT_PENALTY) : step
    const jitter = this.#options.random.between(1 - JITTER, 1 + JITTER)
    this.#later((seconds * 1_000 * jitter) / this.#options.compress, () => this.#attempt(message))
  }

  #later(milliseconds: number, action: () => Promise<unknown>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void action()
    }, milliseconds)
    this.#timers.add(timer)
  }

  async #post(message: Message): Promise<Outcome> {
    message.attempts++
    const outcome = await this.#request(message.event)
    this.outcomes[outcome]++
    if (outcome !== 'accepted') return outcome
    const now = Date.now()
    this.acceptedAt.push(now)
    message.ackedAt ??= now
    return outcome
  }

  /** As a load balancer without health checks: the receivers take turns. */
  async #request({ id, body }: ChaosEvent): Promise<Outcome> {
    const { targets } = this.#options
    const target = targets[this.#turn++ % targets.length] as string
    const seconds = Math.floor(Date.now() / 1_000)
    const signature = createHmac('sha256', this.#key).update(`${id}.${seconds}.${body}`).digest('base64')
    const headers = {
      'content-type': 'application/json',
      'svix-id': id,
      'svix-timestamp': String(seconds),
      'svix-signature': `v1,${signature}`,
    }
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const response = await fetch(target, { method: 'POST', headers, body, signal, redirect: 'manual' })
      await response.arrayBuffer()
      return response.ok ? 'accepted' : 'refused'
    } catch (error) {
      return (error as Error).name === 'TimeoutError' ? 'timeout' : 'unreachable'
    }
  }
}
