/** Forwards what a sync has taken to an app’s own route: the same bytes, the same headers. */

import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClerkSync, RawBody, RequestHeaders, WebhookRequest } from '../../index.ts'
import type { Output } from '../output.ts'
import { TrafficLog } from '../traffic.ts'

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

/** A delivery as it came. */
interface CapturedDelivery {
  readonly svixId: string
  /** Their names in lower case, without those of the connection. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer>
}

/** Those of the connection, which are not the sender’s: the next hop has its own. */
const HOP = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

export class DeliveryCapture {
  /** What is being taken. */
  readonly #underWay = new Map<string, CapturedDelivery>()
  readonly #onTaken: (delivery: CapturedDelivery) => void

  /** @param onTaken called with each committed delivery */
  constructor(onTaken: (delivery: CapturedDelivery) => void = () => undefined) {
    this.#onTaken = onTaken
  }

  /** A delivery that is being taken, by its id. */
  find(svixId: string): CapturedDelivery | undefined {
    return this.#underWay.get(svixId)
  }

  /** The same sync, listened in on. */
  on(sync: ClerkSync): ClerkSync {
    const captured: Partial<ClerkSync> = {
      handle: (request) => this.#handle(sync, request),
      receive: (body, headers) =>
        this.#listen(body, headers, (copied) => sync.receive(copied, headers), Boolean),
    }
    return new Proxy(sync, {
      get(target, name) {
        const own = Reflect.get(captured, name)
        if (own !== undefined) return own
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #handle(sync: ClerkSync, request: WebhookRequest) {
    const { body, headers } = request
    if (body === null) return sync.handle(request)
    const handle = (copied: RawBody) => sync.handle({ ...request, body: copied })
    return this.#listen(body, headers, handle, ({ status }) => status === 200)
  }

  async #listen<Result>(
    body: RawBody,
    headers: RequestHeaders,
    take: (body: RawBody) => Promise<Result>,
    isTaken: (result: Result) => boolean,
  ): Promise<Result> {
    const own = ownHeaders(headers)
    const svixId = own['svix-id'] ?? own['webhook-id'] ?? ''
    let copy: CapturedDelivery | undefined
    const keep = (bytes: Uint8Array<ArrayBuffer>) => {
      copy = { svixId, headers: own, body: bytes }
      this.#underWay.set(svixId, copy)
    }
    try {
      const result = await take(collecting(body, keep))
      if (copy && isTaken(result)) this.#onTaken(copy)
      return result
    } finally {
      if (copy && this.#underWay.get(svixId) === copy) this.#underWay.delete(svixId)
    }
  }
}

/** A body that tells its bytes once all were read. */
function collecting(body: RawBody, keep: (bytes: Uint8Array<ArrayBuffer>) => void): RawBody {
  if (typeof body === 'object' && Symbol.asyncIterator in body) return collectingStream(body, keep)
  keep(typeof body === 'string' ? Buffer.from(body) : new Uint8Array(body))
  return body
}

async function* collectingStream(
  body: AsyncIterable<Uint8Array>,
  keep: (bytes: Uint8Array<ArrayBuffer>) => void,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) {
    // The reader refuses an oversized body before it asks for the next chunk.
    yield chunk
    chunks.push(chunk)
  }
  keep(Buffer.concat(chunks))
}

function ownHeaders(headers: RequestHeaders): Record<string, string> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers)
  const own = entries.filter(([name, value]) => value !== undefined && !HOP.has(name.toLowerCase()))
  return Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), String(value)]))
}
