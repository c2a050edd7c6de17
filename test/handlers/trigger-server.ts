/** A server that speaks Trigger.dev's API as far as its SDK uses it to trigger tasks. It runs them as the platform does. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RunKey } from '../../src/index.ts'

interface Triggered {
  readonly taskId: string
  readonly payload: RunKey
  readonly idempotencyKey: string
}

export class TriggerServer {
  readonly triggered: Triggered[] = []
  readonly #http: Server
  /** Every process of the app that has the task. */
  readonly #tasks = new Map<string, ((payload: RunKey) => Promise<void>)[]>()
  readonly #seen = new Set<string>()

  private constructor() {
    this.#http = createServer((request, response) => {
      void this.#answer(request).then(
        ([status, body]) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        () => response.writeHead(500).end('{}'),
      )
    })
  }

  static async start(): Promise<TriggerServer> {
    const server = new TriggerServer()
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  /** As a deployment does. */
  deploy(taskId: string, run: (payload: RunKey) => Promise<void>): void {
    this.#tasks.set(taskId, [...(this.#tasks.get(taskId) ?? []), run])
  }

  async #answer(request: IncomingMessage): Promise<[number, object]> {
    const [, taskId] = /^\/api\/v1\/tasks\/([^/]+)\/trigger$/.exec(request.url ?? '') ?? []
    if (taskId === undefined || request.headers.authorization !== 'Bearer tr_dev_test')
      return [404, { error: 'not found' }]
    const { payload, options = {} } = JSON.parse(await textOf(request))
    // superjson's envelope: the SDK sends dates and the like as well.
    const data: RunKey = JSON.parse(payload).json
    const key: string = options.idempotencyKey
    this.triggered.push({ taskId, payload: data, idempotencyKey: key })
    if (!this.#seen.has(key)) this.#later(taskId, data, options.delay, 1)
    this.#seen.add(key)
    return [200, { id: `run_${this.triggered.length}`, isCached: false }]
  }

  #later(taskId: string, payload: RunKey, delay: string | undefined, attempt: number): void {
    const ms = delay === undefined ? 0 : Math.max(0, new Date(delay).getTime() - Date.now())
    setTimeout(() => void this.#run(taskId, payload, attempt), ms).unref()
  }

  /** As a task with retries: again after a failure, three times. */
  async #run(taskId: string, payload: RunKey, attempt: number): Promise<void> {
    const results = await Promise.allSettled((this.#tasks.get(taskId) ?? []).map((run) => run(payload)))
    const isDone = results.some(({ status }) => status === 'fulfilled')
    if (!isDone && attempt < 3)
      setTimeout(() => void this.#run(taskId, payload, attempt + 1), 100 * attempt).unref()
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
