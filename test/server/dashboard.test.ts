import { request as httpRequest } from 'node:http'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createDashboardHandler, toNodeListener } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'
import { startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, embeddedDatabase, postgresDatabase, SECRET } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { serveHttp } from '../support/http.ts'
import { RawConnection } from '../support/sockets.ts'

/** What Node's parser takes and no `Request` can be made of. */
const IMPOSSIBLE = [
  ['TRACE /dashboard HTTP/1.1\r\nhost: localhost', 501],
  ['TRACK /dashboard/api/session HTTP/1.1\r\nhost: localhost', 400],
  ['GET /dashboard HTTP/1.1\r\nhost: a@localhost', 400],
  ['POST /dashboard/api/jobs HTTP/1.1\r\nhost: a:b@localhost\r\ncontent-length: 2', 400],
] as const

function answerTo(port: number, start: string): Promise<string> {
  return new RawConnection(port).send(`${start}\r\n\r\n`).untilClosed()
}

describe('the dashboard on the standalone server', () => {
  const database = embeddedDatabase()
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
    await deliver(sync, eventOf('user.created'), { id: 'msg_served' })
  })

  it('is served below its path, reads and writes, and its streams end when the server stops', async () => {
    const server = await startServer({ sync, port: 0, dashboard: createDashboardHandler(sync) })
    const base = `http://127.0.0.1:${server.port}/dashboard`
    const session = await fetch(`${base}/api/session`)
    expect([session.status, await session.json()]).toMatchObject([200, { role: 'admin', name: 'local' }])
    const own = { 'x-clerk-sync-csrf': '1', 'content-type': 'application/json' }
    const write = (headers: Record<string, string>) =>
      fetch(`${base}/api/events/msg_served/replay`, { method: 'POST', headers, body: '{}' })
    expect([(await write(own)).status, (await write({})).status]).toEqual([200, 403])
    expect((await fetch(`${base}/events/msg_served`)).headers.get('content-security-policy')).toContain(
      'nonce-',
    )
    expect((await fetch(`${base}x`)).status).toBe(404)
    expect(await statusWithHost(server.port, 'evil.example')).toBe(403)
    expect(await statusWithHost(server.port, '///')).toBe(403)

    const live = await fetch(`${base}/api/live`)
    const startedAt = performance.now()
    const [text, end] = await Promise.all([live.text(), server.stop()])
    expect([end, text]).toEqual(['drained', expect.stringContaining('retry')])
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it.each(IMPOSSIBLE)('answers %j and goes on', async (start, status) => {
    const server = await startServer({ sync, port: 0, dashboard: createDashboardHandler(sync) })
    expect(await answerTo(server.port, start)).toMatch(
      new RegExp(`^HTTP/1.1 ${status} .*connection: close`, 'is'),
    )
    expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200)
    await server.stop()
  })

  it.each(IMPOSSIBLE)('answers %j on a server of your own and goes on', async (start, status) => {
    const origin = await serveHttp(toNodeListener(createDashboardHandler(sync)))
    expect(await answerTo(Number(new URL(origin).port), start)).toMatch(`HTTP/1.1 ${status} `)
    expect((await fetch(`${origin}/dashboard`)).status).toBe(200)
  })

  it('answers 500 and goes on when it fails, and tells the log', async () => {
    const logged = vi.spyOn(console, 'error').mockReturnValue()
    const server = await startServer({ sync, port: 0, dashboard: () => Promise.reject(new Error('lost')) })
    const origin = `http://127.0.0.1:${server.port}`
    const response = await fetch(`${origin}/dashboard`)
    expect([response.status, await response.text()]).toEqual([500, '{"error":"internal_error"}'])
    expect(logged.mock.lastCall).toEqual([expect.stringContaining('lost')])
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
    await server.stop()
    logged.mockRestore()
  })
})

/** `fetch` sends no name but that of the address. */
function statusWithHost(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(
      { port, host: '127.0.0.1', path: '/dashboard/api/session', headers: { host } },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
      .on('error', reject)
      .end()
  })
}

describeWithPostgres('start serves the dashboard', (url) => {
  const database = postgresDatabase(url)
  const cwd = temporaryFolder()
  const TOKEN = 'a-token-of-many-characters'

  it('with the options in force, without secrets, to whoever has the token', async () => {
    const { schema } = await database.location()
    const env = {
      DATABASE_URL: url,
      CLERK_SYNC_SCHEMA: schema,
      CLERK_SYNC_DASHBOARD_TOKEN: TOKEN,
      NODE_ENV: 'production',
    }
    const cli = await startCli([], { cwd: await cwd(), env })
    const dashboard = new URL('/dashboard', cli.url)
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${dashboard}/api/${path}`, { headers })
    expect((await get('settings')).status).toBe(401)
    const settings = await (await get('settings', { authorization: `Bearer ${TOKEN}` })).text()
    expect(settings).toContain('"CLERK_WEBHOOK_SIGNING_SECRET"')
    expect(settings).not.toContain(SECRET)
    expect(settings).not.toContain(SECRET.slice('whsec_'.length))
    const health = await (await get('health', { authorization: `Bearer ${TOKEN}` })).json()
    expect(health).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ group: 'database', status: 'pass' })]),
    })
    expect(await cli.stop()).toMatchObject({ code: 0 })
  })
})
