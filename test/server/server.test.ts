import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClerkSyncServer, startServer } from '../../src/server/server.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { eventOf, type SignedRequest, sign } from '../support/deliveries.ts'
import { RawConnection, rawDelivery } from '../support/sockets.ts'

const PATH = '/api/webhooks/clerk'

function post(server: ClerkSyncServer, { headers, body }: SignedRequest, path = PATH): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
  })
}

function get(server: ClerkSyncServer, path: string, method = 'GET'): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${path}`, { method, redirect: 'manual' })
}

const delivery = () => sign(eventOf('user.created'))

describe('the standalone server', () => {
  const database = embeddedDatabase()
  let server: ClerkSyncServer

  beforeAll(async () => {
    server = await startServer({ sync: await database.open({ maxBodyBytes: 100_000 }), port: 0 })
  })
  afterAll(() => server.stop())

  const connection = () => new RawConnection(server.port)

  it.each([PATH, '/webhooks/clerk', `${PATH}?source=svix`])('takes a delivery at %s', async (path) => {
    const response = await post(server, delivery(), path)
    expect([response.status, await response.text()]).toEqual([200, '{"ok":true}'])
  })

  it.each([
    '/',
    '/api/webhooks/clerk/',
    '/api/webhooks/Clerk',
    '//api/webhooks/clerk',
    '/api/webhooks/clerk%2f',
    '/api/webhooks/clerk%00',
    '/webhooks/../webhooks/clerk/x',
    '/healthz/',
    '/.env',
  ])('knows no other path: %s', async (path) => {
    const response = await post(server, delivery(), path)
    expect([response.status, await response.text()]).toEqual([404, '{"error":"not_found"}'])
  })

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s on the webhook route', async (method) => {
    const response = await get(server, PATH, method)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('refuses a forged delivery', async () => {
    const response = await post(
      server,
      sign(eventOf('user.created'), { secret: `whsec_${btoa('x'.repeat(24))}` }),
    )
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/^\{"error":"signature_mismatch","ref":"rej_[0-9a-f]{12}"\}$/)
  })

  it('says that it lives, and that it is ready', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const response = await get(server, path)
      expect([response.status, await response.text()]).toEqual([200, '{"ok":true}'])
    }
    expect((await get(server, '/healthz', 'POST')).status).toBe(405)
    expect((await get(server, '/readyz', 'HEAD')).status).toBe(200)
  })

  it('keeps a connection alive after a request without a body', async () => {
    const probe = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
    const twice = connection().send(probe)
    await twice.until('{"ok":true}')
    expect((await twice.send(probe).until('{"ok":true}HTTP')).match(/ 200 /g)).toHaveLength(2)
    twice.close()
  })

  it('counts its answers by status', async () => {
    const before = server.answers.get(200) ?? 0
    await post(server, delivery())
    expect(server.answers.get(200)).toBe(before + 1)
  })

  it('never repeats data of a request in its answer', async () => {
    const signed = delivery()
    const response = await post(server, signed)
    const answer = JSON.stringify([...response.headers]) + (await response.text())
    for (const value of [signed.id, 'ada@example.com', 'user_']) expect(answer).not.toContain(value)
  })

  it('refuses a body that is declared too large before it comes, and closes the connection', async () => {
    const { headers } = delivery()
    const answer = await connection()
      .send(rawDelivery({ id: '', headers: { ...headers, 'content-length': '100001' }, body: '' }))
      .untilClosed()
    expect(answer).toMatch(/^HTTP\/1.1 413 .*connection: close.*\{"error":"body_too_large",/is)
  })

  it('stops reading a chunked body at the limit, and closes the connection', async () => {
    const { headers } = delivery()
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    const start = rawDelivery({ id: '', headers, body: '' }).replace(
      'content-length: 0',
      'transfer-encoding: chunked',
    )
    const answer = await connection()
      .send(start + chunk.repeat(4))
      .untilClosed()
    expect(answer).toMatch(/^HTTP\/1.1 413 .*connection: close.*\{"error":"body_too_large",/is)
  })

  it('answers 413 to a client that goes on sending', async () => {
    const { headers } = delivery()
    const outgoing = request({
      port: server.port,
      path: PATH,
      method: 'POST',
      headers: { ...headers, 'content-length': 20_000_000 },
    })
    outgoing.on('error', () => undefined)
    outgoing.end(Buffer.alloc(20_000_000))
    const [response] = await once(outgoing, 'response')
    expect(response.statusCode).toBe(413)
    outgoing.destroy()
  })

  it('refuses an unsigned request before its body comes', async () => {
    const answer = await connection()
      .send(`POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n`)
      .untilClosed()
    expect(answer).toMatch(/^HTTP\/1.1 400 .*connection: close.*\{"error":"headers_missing",/is)
  })

  const smuggled = {
    'a length and chunks': 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'two lengths': 'content-length: 5\r\ncontent-length: 6\r\n\r\nhello',
    'a length with a sign': 'content-length: +5\r\n\r\nhello',
    'a bad chunk size': 'transfer-encoding: chunked\r\n\r\n5;\n\r\nhello\r\n0\r\n\r\n',
    'an encoding after chunked': 'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'a folded header': 'x: a\r\n b\r\ncontent-length: 0\r\n\r\n',
    'a bare line feed': 'x: a\ncontent-length: 0\r\n\r\n',
    'a space before the colon': 'content-length : 5\r\n\r\nhello',
    'a NUL in a header': 'x: a\0b\r\ncontent-length: 0\r\n\r\n',
  }
  it.each(Object.entries(smuggled))('closes a connection with %s', async (_, rest) => {
    const next = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'
    const answer = await connection().send(`POST ${PATH} HTTP/1.1\r\nhost: x\r\n${rest}${next}`).untilClosed()
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).not.toContain(' 200 ')
  })

  it('refuses a request without a host, or with oversized headers', async () => {
    expect(await connection().send('GET /healthz HTTP/1.1\r\n\r\n').untilClosed()).toMatch(/^HTTP\/1.1 400 /)
    const large = `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(17_000)}\r\n\r\n`
    expect(await connection().send(large).untilClosed()).toMatch(/^HTTP\/1.1 431 /)
  })

  it('gives slow headers 5 seconds and slow bodies 10, and takes deliveries behind 1,000 idle sockets', async () => {
    const startedAt = performance.now()
    const slowHeaders = connection().send(`POST ${PATH} HTTP/1.1\r\nhost: x\r\n`)
    const slowBody = connection().send(rawDelivery(delivery(), { sent: 10 }))
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => connection().opened()))
    const deliveryAt = performance.now()
    expect((await post(server, delivery())).status).toBe(200)
    expect(performance.now() - deliveryAt).toBeLessThan(2_000)

    expect(await slowHeaders.untilClosed()).toMatch(/^HTTP\/1.1 408 /)
    const headersMs = performance.now() - startedAt
    expect(await slowBody.untilClosed()).not.toContain(' 200 ')
    const bodyMs = performance.now() - startedAt
    await Promise.all(idle.map((each) => each.untilClosed()))

    expect(headersMs).toBeGreaterThan(4_900)
    expect(headersMs).toBeLessThan(8_000)
    expect(bodyMs).toBeGreaterThan(9_900)
    expect(bodyMs).toBeLessThan(13_000)
  })

  it('names the port when another process has it', async () => {
    const other = startServer({ sync: await database.open(), port: server.port })
    await expect(other).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`127.0.0.1:${server.port}`),
    })
  })

  it('names an address that it cannot listen on', async () => {
    const other = startServer({ sync: await database.open(), port: 0, host: '192.0.2.1' })
    await expect(other).rejects.toMatchObject({ code: 'option_invalid' })
  })
})
