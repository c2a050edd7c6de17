/** A server that speaks Inngest's API as far as its SDK uses it: apps register, events come in, functions are called. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Registered {
  readonly id: string
  readonly triggers: readonly { readonly event: string }[]
  readonly steps: { readonly step: { readonly runtime: { readonly url: string } } }
}

interface SentEvent {
  readonly name: string
  readonly id: string
  readonly ts?: number
}

export class InngestServer {
  readonly events: SentEvent[] = []
  /** It answers no event any more. */
  isDown = false
  readonly #http: Server
  readonly #functions: Registered[] = []
  /** Inngest drops an id that it has seen in the last 24 hours. */
  readonly #seen = new Set<string>()
  readonly #timers = new Set<NodeJS.Timeout>()

  private constructor() {
    this.#http = createServer((request, response) => {
      void this.#answer(request).then(
        ([status, body]) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        () => response.writeHead(500).end(),
      )
    })
  }

  static async start(): Promise<InngestServer> {
    const server = new InngestServer()
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  async #answer(request: IncomingMessage): Promise<[number, object]> {
    const body = JSON.parse(await textOf(request))
    if (request.url?.startsWith('/fn/register')) {
      this.#functions.push(...body.functions)
      return [200, { ok: true, modified: true }]
    }
    if (!request.url?.startsWith('/e/') || this.isDown) return [500, { error: 'down' }]
    const events = (Array.isArray(body) ? body : [body]) as SentEvent[]
    for (const event of events) this.#receive(event)
    return [200, { ids: events.map(({ id }) => id), status: 200 }]
  }

  #receive(event: SentEvent): void {
    this.events.push(event)
    if (this.#seen.has(event.id)) return
    this.#seen.add(event.id)
    const functions = this.#functions.filter(({ triggers }) =>
      triggers.some((trigger) => trigger.event === event.name),
    )
    for (const each of functions)
      this.#later(Math.max(0, (event.ts ?? 0) - Date.now()), () => this.#call(each, event, 0))
  }

  #later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, delayMs)
    this.#timers.add(timer)
  }

  /** As the executor does: one request for the function, again after an answer that is no success. */
  async #call(called: Registered, event: SentEvent, attempt: number): Promise<void> {
    const ctx = {
      run_id: `run-${event.id}`,
      attempt,
      disable_immediate_execution: false,
      use_api: false,
      stack: { stack: [], current: 0 },
    }
    const response = await fetch(called.steps.step.runtime.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ event, events: [event], steps: {}, ctx, version: 1, use_api: false }),
    }).catch(() => null)
    await response?.arrayBuffer()
    if (!response?.ok && attempt < 4) this.#later(100, () => void this.#call(called, event, attempt + 1))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString() || 'null'
}
