/** Two receivers behind a load balancer, restarted one after the other under load, as processes of their own. */

import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { CliProcess } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const PATH = '/webhooks/clerk'
/** A balancer looks so often; what it learns late is what the delay is for. */
const PROBE_MS = 300
const DELAY = '2s'
const SENDERS = 8

/** Sends each request, once, to a backend that said it was ready when it was last asked; keeps connections to it. */
class LoadBalancer {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #ready = new Map<number, boolean>()
  readonly #server = createServer((incoming, outgoing) => this.#forward(incoming, outgoing))
  #turn = 0

  constructor(ports: readonly number[]) {
    for (const port of ports) this.#ready.set(port, false)
    const probing = setInterval(() => void this.#probe(), PROBE_MS)
    onTestFinished(() => {
      clearInterval(probing)
      this.#agent.destroy()
      this.#server.close()
    })
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${PATH}`
  }

  isReady(port: number): boolean {
    return this.#ready.get(port) === true
  }

  async #probe(): Promise<void> {
    for (const port of this.#ready.keys()) {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
      this.#ready.set(port, response?.ok === true)
    }
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const ports = [...this.#ready.keys()].filter((port) => this.isReady(port))
    const port = ports[this.#turn++ % ports.length]
    if (port === undefined) return void outgoing.writeHead(502).end()
    const { url: path, method, headers } = incoming
    const inner = request(
      { host: '127.0.0.1', port, path, method, headers, agent: this.#agent },
      (response) => {
        outgoing.writeHead(response.statusCode as number)
        response.pipe(outgoing)
      },
    )
    inner.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(inner)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

describeWithPostgres('a rolling restart of two receivers under load', (url) => {
  const database = postgresDatabase(url)

  async function start(port: number, delay: string): Promise<CliProcess> {
    const { schema } = await database.location()
    const args = [
      'start',
      '--role',
      'receiver',
      '--no-dashboard',
      '--port',
      String(port),
      '--shutdown-delay',
      delay,
    ]
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema }
    const receiver = new CliProcess(args, { cwd: tmpdir(), env })
    await receiver.until(/ready/)
    return receiver
  }

  /** Restarts each receiver while deliveries come in; returns the answers by status. */
  async function restart(delay: string) {
    const ports = [await freePort(), await freePort()]
    const receivers = new Map<number, CliProcess>()
    for (const port of ports) receivers.set(port, await start(port, delay))
    const balancer = new LoadBalancer(ports)
    const address = await balancer.listen()
    const untilReady = async (port: number) => {
      while (!balancer.isReady(port)) await sleep(20)
    }
    for (const port of ports) await untilReady(port)

    const answers: Record<number, number> = {}
    let isOver = false
    const senders = Array.from({ length: SENDERS }, async () => {
      while (!isOver) {
        const { headers, body } = sign(eventOf('user.created'))
        const { status } = await fetch(address, { method: 'POST', headers, body })
        answers[status] = (answers[status] ?? 0) + 1
      }
    })
    const ends: (number | null)[] = []
    for (const port of ports) {
      await sleep(300)
      ends.push((await receivers.get(port)?.stop())?.code ?? null)
      receivers.set(port, await start(port, delay))
      await untilReady(port)
    }
    isOver = true
    await Promise.all(senders)
    for (const receiver of receivers.values()) await receiver.stop()
    return { answers, ends }
  }

  it('refuses nothing with a shutdown delay', async () => {
    const { answers, ends } = await restart(DELAY)
    expect(Object.keys(answers)).toEqual(['200'])
    expect(answers[200]).toBeGreaterThan(100)
    expect(ends).toEqual([0, 0])
    const sync = await database.open()
    const { count } = await sync.database
      .selectFrom('events')
      .select((each) => each.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(answers[200])
  })

  it('refuses some without one, so that the delay is needed', async () => {
    const { answers } = await restart('0s')
    expect(Object.keys(answers).length).toBeGreaterThan(1)
  })
})
