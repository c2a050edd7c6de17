/** Receivers of alerts that are away, broken, slow or talk nonsense. */

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { AlertBook } from '../../src/alerts/alert-book.ts'
import { AlertHook } from '../../src/alerts/alert-hook.ts'
import type { Vitals } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase, silent, type TestDatabase } from '../support/databases.ts'
import { freePort } from '../support/redis-server.ts'

interface Case {
  readonly title: string
  /** For each request in turn; the last one for all that follow. */
  readonly answers: readonly RequestListener[]
  readonly failure: string | null
  readonly requests: number
}

const ok: RequestListener = (_, response) => response.end()
const answer =
  (status: number, body = ''): RequestListener =>
  (_, response) =>
    response.writeHead(status).end(body)

const CASES: readonly Case[] = [
  { title: 'answers 500', answers: [answer(500)], failure: 'it answered 500', requests: 3 },
  { title: 'answers 500 once', answers: [answer(500), ok], failure: null, requests: 2 },
  { title: 'answers 429', answers: [answer(429)], failure: 'it answered 429', requests: 3 },
  { title: 'answers nonsense', answers: [answer(200, '{"not": json')], failure: null, requests: 1 },
  { title: 'answers without an end', answers: [endless], failure: null, requests: 1 },
  { title: 'is slow once', answers: [() => undefined, ok], failure: null, requests: 2 },
  {
    title: 'closes the connection',
    answers: [(request) => request.socket.destroy()],
    failure: 'UND_ERR_SOCKET',
    requests: 3,
  },
]

function endless(_: unknown, response: Parameters<RequestListener>[1]): void {
  response.writeHead(200)
  const timer = setInterval(() => response.write('.'), 10)
  response.on('close', () => clearInterval(timer))
}

async function receiver(answers: readonly RequestListener[]) {
  const seen = { requests: 0, open: 0 }
  const server = createServer((request, response) => {
    const listener = answers[Math.min(seen.requests++, answers.length - 1)]
    seen.open++
    response.on('close', () => seen.open--)
    listener?.(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}

describeWithPostgres('the alert hook and a receiver', (postgres) => {
  const databases = CASES.map(() => postgresDatabase(postgres))
  const own = postgresDatabase(postgres)
  const untold = postgresDatabase(postgres)

  /** Of a sync whose handler has failed for good. */
  async function hookOf(database: TestDatabase, url: string) {
    const sync = await database.open()
    const hook = new AlertHook({
      target: { url, format: 'json', everyMs: 60_000 },
      schema: sync.location.schema,
      book: new AlertBook(sync.database, sync.location.schema),
      vitals: async (): Promise<Vitals> => ({
        ...(await sync.vitals()),
        deadRuns: new Map([['syncCrm', 1]]),
      }),
      log: silent,
    })
    onTestFinished(() => hook.close())
    const row = () => sync.database.selectFrom('alerts').selectAll().executeTakeFirstOrThrow()
    const expire = () =>
      sync.database
        .updateTable('alerts')
        .set({ sending_until: new Date(0) })
        .execute()
    return { hook, row, expire }
  }

  it('that fails is noted with the reason; one that fails once is told all the same, and what it says does not matter', async () => {
    const results = await Promise.all(
      CASES.map(async ({ title, answers }, nr) => {
        const { url, seen } = await receiver(answers)
        const { hook, row } = await hookOf(databases[nr] as TestDatabase, url)
        await hook.look()
        const { failure, begin_sent_at } = await row()
        return { title, failure, isTold: begin_sent_at !== null, requests: seen.requests }
      }),
    )
    expect(results).toEqual(
      CASES.map(({ title, failure, requests }) => ({ title, failure, isTold: failure === null, requests })),
    )
  })

  it('that redirects is not followed: who knows where to', async () => {
    const target = await receiver([ok])
    const { url } = await receiver([(_, response) => response.writeHead(307, { location: target.url }).end()])
    const { hook, row } = await hookOf(own, url)
    await hook.look()
    expect(await row()).toMatchObject({ failure: 'it answered 307', begin_sent_at: null })
    expect(target.seen.requests).toBe(0)
  })

  it('that is down, or no HTTP server, is told once it is up', async () => {
    const port = await freePort()
    const { hook, row, expire } = await hookOf(own, `http://127.0.0.1:${port}/`)
    await expire()
    await hook.look()
    expect(await row()).toMatchObject({ failure: 'ECONNREFUSED', begin_sent_at: null })

    const chatter = createTcpServer((socket) =>
      socket.end('220 mail.example.com ESMTP\r\n', () => socket.destroy()),
    )
    await once(chatter.listen(port, '127.0.0.1'), 'listening')
    await expire()
    await hook.look()
    expect(await row()).toMatchObject({ failure: expect.any(String), begin_sent_at: null })
    await new Promise((resolve) => chatter.close(resolve))

    const server = createServer(ok)
    await once(server.listen(port, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    await expire()
    await hook.look()
    expect(await row()).toMatchObject({ failure: null, begin_sent_at: expect.any(Date) })
  })

  it('that never answers holds up no process that ends', async () => {
    const { url, seen } = await receiver([() => undefined])
    const { hook, expire } = await hookOf(untold, url)
    await expire()
    const looking = hook.look()
    await expect.poll(() => seen.requests).toBe(1)
    const startedAt = Date.now()
    await hook.close()
    await looking
    expect(Date.now() - startedAt).toBeLessThan(2_000)
  })
})
