/** Forwards what a sync has taken to an app’s own route: the same bytes, the same headers. */

import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CapturedDelivery } from '../../server/delivery-capture.ts'
import type { Output } from '../output.ts'
import { TrafficLog } from '../traffic-log.ts'

/** Somebody who presses Ctrl-C does not wait longer. */
const GRACE_MS = 2_000
const CHECK_EVERY_MS = 2_000
/** An app that hangs must not collect deliveries here without end. */
const MAX_UNDER_WAY = 100

export class Forwarding {
  readonly #url: URL
  readonly #output: Output
  readonly #log: TrafficLog
  readonly #underWay = new Set<Promise<unknown>>()
  #isReachable = true
  #skipped = 0
  /** What the app answered last; null if it did not, undefined if it was not asked since it listens. */
  #lastStatus: number | null | undefined

  constructor(url: URL, output: Output) {
    this.#url = url
    this.#output = output
    this.#log = new TrafficLog(output, url)
  }

  /** Svix already has its answer: the app's answer is shown only here. */
  readonly forward = (delivery: CapturedDelivery): void => {
    if (this.#underWay.size >= MAX_UNDER_WAY) this.#skip()
    else this.#deliver(delivery)
  }

  /** What is wrong with the app, for the footer. */
  get trouble(): string | undefined {
    const status = this.#lastStatus
    if (!this.#isReachable || status === null) return 'your app does not answer'
    if (this.#underWay.size >= MAX_UNDER_WAY) return `your app hangs, ${this.#skipped} not forwarded`
    return status !== undefined && status >= 300 ? `your app answers ${status}` : undefined
  }

  /** What is known of an app without trouble. */
  get wellbeing(): string {
    return this.#lastStatus === undefined ? 'nothing forwarded yet' : `your app answers ${this.#lastStatus}`
  }

  /** Tells once that nobody listens there, and once when somebody does again. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isReachable = await canConnect(this.#url)
      if (isReachable !== this.#isReachable && !signal.aborted) this.#report(isReachable)
      await sleep(CHECK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** Resolves once what is under way was answered, or the patience is over. */
  async finished(): Promise<void> {
    await Promise.race([Promise.allSettled(this.#underWay), sleep(GRACE_MS, undefined, { ref: false })])
  }

  #deliver(delivery: CapturedDelivery): void {
    const work = this.#log.deliver(delivery).then(this.#note, () => this.#note(null))
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  readonly #note = (status: number | null): void => {
    this.#lastStatus = status
  }

  #report(isReachable: boolean): void {
    this.#isReachable = isReachable
    if (isReachable) this.#lastStatus = undefined
    const { json, stdout, stderr } = this.#output
    const { green, yellow } = stderr.colors
    if (json) stdout.record({ type: 'forward', time: new Date(), url: this.#url, reachable: isReachable })
    if (isReachable) this.#output.note(`  ${green('✓')} ${this.#url.origin} is listening again.`)
    else
      this.#output.note(
        `  ${yellow('!')} Nobody listens at ${this.#url.origin}. Is your app running?${hintFor(this.#url)}`,
      )
  }

  #skip(): void {
    this.#skipped++
    const { json, stdout } = this.#output
    if (json) stdout.record({ type: 'forward', time: new Date(), url: this.#url, skipped: this.#skipped })
    else if (this.#skipped === 1)
      this.#output.note(
        `  ! ${MAX_UNDER_WAY} deliveries wait for your app’s answer: further ones are not forwarded.`,
      )
  }
}

function canConnect({ hostname, port, protocol }: URL): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) })
  socket.setTimeout(CHECK_EVERY_MS, () => resolve(false))
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** Within a container, localhost is the container itself. */
function hintFor({ hostname }: URL): string {
  const isContained = existsSync('/.dockerenv') && /^(localhost|127\.)/.test(hostname)
  return isContained ? ' From within a container it is http://host.docker.internal.' : ''
}
