/** Forwards what a sync has taken to an app’s own route: the same bytes, the same headers. */

import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClerkSync, RawBody, RequestHeaders, WebhookRequest } from '../index.ts'
import type { Output } from './output.ts'
import { TrafficLog } from './traffic-log.ts'

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
/** Somebody who presses Ctrl-C does not wait longer. */
const GRACE_MS = 2_000

export class Forwarding {
  readonly #log: TrafficLog
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(url: URL, output: Output) {
    this.#log = new TrafficLog(output, url)
  }

  /** The same sync, but what it takes by {@link ClerkSync.handle} is forwarded once it is committed. */
  through(sync: ClerkSync): ClerkSync {
    const handle = async (request: WebhookRequest) => {
      if (request.body === null) return sync.handle(request)
      const body = await bytesOf(request.body)
      const reply = await sync.handle({ ...request, body })
      if (reply.status === 200) this.#forward(request.headers, body)
      return reply
    }
    return new Proxy(sync, {
      get(target, name) {
        if (name === 'handle') return handle
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  /** Resolves once what is under way was answered, or the patience is over. */
  async settled(): Promise<void> {
    await Promise.race([Promise.allSettled(this.#underWay), sleep(GRACE_MS, undefined, { ref: false })])
  }

  /** Svix has its answer already: what the app says is told here, and nowhere else. */
  #forward(received: RequestHeaders, body: Uint8Array<ArrayBuffer>): void {
    const headers = ownHeaders(received)
    const svixId = headers['svix-id'] ?? headers['webhook-id'] ?? ''
    const work = this.#log.deliver({ svixId, headers, body }).catch(() => undefined)
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }
}

async function bytesOf(body: RawBody): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  return body instanceof Uint8Array ? new Uint8Array(body) : buffer(body)
}

function ownHeaders(headers: RequestHeaders): Record<string, string> {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers)
  const own = entries.filter(([name, value]) => value !== undefined && !HOP.has(name.toLowerCase()))
  return Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), String(value)]))
}
