/** Clients that begin large bodies and do not finish them, beside Svix. */

import { type AddressInfo, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import { createExpressHandler } from '../../src/adapters/express.ts'
import { createFastifyHandler } from '../../src/adapters/fastify.ts'
import type { ClerkSync } from '../../src/index.ts'
import { listen } from '../adapters/serve.ts'
import { startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { rawDelivery } from '../support/sockets.ts'

const PATH = '/api/webhooks/clerk'
const CLIENTS = 64
const BODY_BYTES = 2 * 1024 * 1024
/** Longer than a stalled body may take, so that some are ended by that and not by others. */
const ATTACK_MS = 12_000
/** What the attackers may take to fill what there is to fill. */
const BEGIN_MS = 1_000
const EVERY_MS = 25

const head = rawDelivery(
  { id: '', body: '', headers: { ...sign('x').headers, 'content-length': String(BODY_BYTES) } },
  { path: PATH },
)
const allButOne = Buffer.alloc(BODY_BYTES - 1, ' ')

/** A client that sends all of a body but its last byte, and does so again whenever it is thrown out. */
async function stall(port: number, leaving: AbortSignal): Promise<void> {
  while (!leaving.aborted) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    const leave = () => socket.destroy()
    leaving.addEventListener('abort', leave, { once: true })
    socket.write(head)
    socket.write(allButOne)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    leaving.removeEventListener('abort', leave)
    await sleep(20)
  }
}

async function deliver(url: string): Promise<{ status: number; ms: number }> {
  const { headers, body } = sign(eventOf('user.created'))
  const startedAt = performance.now()
  const { status } = await fetch(url, { method: 'POST', headers, body })
  return { status, ms: performance.now() - startedAt }
}

/** What signed deliveries are answered while the clients stall. */
async function underAttack(port: number): Promise<{ statuses: Set<number>; count: number; p99: number }> {
  const leaving = new AbortController()
  const clients = Array.from({ length: CLIENTS }, () => stall(port, leaving.signal))
  await sleep(BEGIN_MS)
  const answers: Promise<{ status: number; ms: number }>[] = []
  for (const startedAt = Date.now(); Date.now() - startedAt < ATTACK_MS; await sleep(EVERY_MS)) {
    answers.push(deliver(`http://127.0.0.1:${port}${PATH}`))
  }
  const all = await Promise.all(answers)
  leaving.abort()
  await Promise.all(clients)
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b)
  const p99 = Math.round(sorted[Math.floor(0.99 * sorted.length)] as number)
  return { statuses: new Set(all.map(({ status }) => status)), count: all.length, p99 }
}

describeWithPostgres(`${CLIENTS} clients that stall bodies of 2 MiB`, (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()

  /** The port of a server that is stopped after the test. */
  const servers: Record<string, (sync: ClerkSync) => Promise<number>> = {
    start: async () => {
      const { schema } = await database.location()
      const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema }
      const cli = await startCli(['--json', '--no-dashboard'], { cwd: await folder(), env })
      onTestFinished(() => void cli.stop())
      return Number(new URL(cli.url).port)
    },
    Express: async (sync) => {
      const app = express().post(PATH, createExpressHandler(sync))
      const { port, stop } = await listen(app)
      onTestFinished(() => void stop())
      return port
    },
    Fastify: async (sync) => {
      const app = Fastify({ forceCloseConnections: true })
      app.post(PATH, createFastifyHandler(sync))
      await app.listen({ port: 0, host: '127.0.0.1' })
      onTestFinished(() => app.close())
      return (app.server.address() as AddressInfo).port
    },
  }

  it.each(Object.entries(servers))('keep no delivery from %s', async (name, serve) => {
    const { statuses, count, p99 } = await underAttack(await serve(await database.open()))
    console.log(`${name}: ${count} signed deliveries, p99 ${p99} ms`)
    expect([...statuses]).toEqual([200])
    expect(count).toBeGreaterThan(50)
  })
})
