import { generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { createAdaptorServer } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import express from 'express'
import { Hono } from 'hono'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { BulkCount, Role, Session } from '../../src/dashboard/api.ts'
import {
  clerkSignIn,
  createDashboardHandler,
  type DashboardHandler,
  type DashboardOptions,
  toNodeListener,
} from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { ask, LOCAL, ORIGIN, refusal, requestFor } from './client.ts'

const TOKEN = 'a-token-of-many-characters'
const database = embeddedDatabase()
let sync: ClerkSync

beforeAll(async () => {
  sync = await database.open()
  await deliver(sync, eventOf('user.created', { id: 'user_access' }), { id: 'msg_access' })
})

const create = (options: DashboardOptions = {}) => createDashboardHandler(sync, options)
const as = (role: Role | null) => create({ authorize: () => role && { name: 'ada', role } })

describe('without a token or a sign-in', () => {
  it('answers this machine, by its own names', async () => {
    const handler = create()
    expect(await ask(handler, 'GET session')).toMatchObject({
      name: 'local',
      role: 'admin',
      canSignOut: false,
    })
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:4848']) {
      expect(await ask(handler, 'GET session', { headers: { host } })).toMatchObject({ role: 'admin' })
    }
    for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      expect(await ask(handler, 'GET session', { remoteAddress })).toMatchObject({ role: 'admin' })
    }
  })

  it.each([
    ['another machine', { remoteAddress: '10.0.0.7' }, 'dashboard_closed'],
    ['a server that does not tell its address', { remoteAddress: null }, 'dashboard_closed'],
    ['a proxy that names it alone', { headers: { 'x-real-ip': '203.0.113.7' } }, 'dashboard_closed'],
    ['a proxy that hides it', { headers: { via: '1.1 squid' } }, 'dashboard_closed'],
    ['a tunnel', { headers: { 'x-forwarded-for': '203.0.113.7' } }, 'dashboard_closed'],
    ['a proxy', { headers: { forwarded: 'for=203.0.113.7' } }, 'dashboard_closed'],
    ['a name that points here (DNS rebinding)', { headers: { host: 'evil.example' } }, 'host_unknown'],
    ['a name that looks like here', { headers: { host: 'localhost.evil.example' } }, 'host_unknown'],
  ])('answers nobody who comes by %s', async (_, options, code) => {
    expect(await refusal(create(), 'GET overview', options)).toEqual([403, code])
    const page = await create()(
      new Request(`${ORIGIN}/dashboard/`, 'headers' in options ? { headers: options.headers } : {}),
      'remoteAddress' in options ? { remoteAddress: options.remoteAddress ?? undefined } : LOCAL,
    )
    expect([page.status, await page.text()]).toEqual([403, expect.not.stringContaining('<script')])
  })

  it('answers by a name that it was given', async () => {
    const handler = create({ allowedHosts: ['dev.example'] })
    expect(await ask(handler, 'GET session', { headers: { host: 'dev.example:4848' } })).toMatchObject({
      role: 'admin',
    })
  })

  it('is closed in production', async () => {
    const handler = create({ environment: 'production' })
    expect(await refusal(handler, 'GET session')).toEqual([403, 'dashboard_closed'])
    expect(await refusal(handler, 'POST session', { body: { token: TOKEN } })).toEqual([
      403,
      'dashboard_closed',
    ])
  })
})

describe('with a token', () => {
  it('lets in whoever has it, for twelve hours or until he signs out', async () => {
    let now = Date.now()
    const handler = create({ token: TOKEN, environment: 'production', now: () => now })
    const response = await handler(new Request(`${ORIGIN}/dashboard/api/session`), LOCAL)
    expect([response.status, await response.json()]).toEqual([
      401,
      {
        code: 'sign_in_required',
        message: expect.any(String),
        remedy: expect.any(String),
        signIn: 'token',
        signInUrl: null,
      },
    ])
    const signedIn = await handler(requestFor('POST session', { body: { token: TOKEN } }), LOCAL)
    const cookie = signedIn.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(
      /^clerk_sync_session=[\w.-]+; Path=\/dashboard\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    const headers = { cookie: `other=1; ${cookie.split(';', 1)[0]}` }
    expect(await ask(handler, 'GET session', { headers })).toMatchObject({ role: 'admin', canSignOut: true })
    const forged = { cookie: headers.cookie.replace(/\d+\./, (end) => `${Number(end) + 1}.`) }
    expect(await refusal(handler, 'GET session', { headers: forged })).toEqual([401, 'sign_in_required'])
    const elsewhere = create({ token: `${TOKEN}2` })
    expect(await refusal(elsewhere, 'GET session', { headers })).toEqual([401, 'sign_in_required'])
    const signedOut = await handler(requestFor('DELETE session', { headers }), LOCAL)
    expect(signedOut.headers.get('set-cookie')).toContain('Max-Age=0')
    now += 12 * 3_600_000 + 1
    expect(await refusal(handler, 'GET session', { headers })).toEqual([401, 'sign_in_required'])
  })

  it('marks the cookie as secure where the connection is', async () => {
    const handler = create({ token: TOKEN })
    const headers = { 'x-forwarded-proto': 'https' }
    const response = await handler(requestFor('POST session', { body: { token: TOKEN }, headers }), LOCAL)
    expect(response.headers.get('set-cookie')).toContain('; Secure')
  })

  it('takes it as a bearer too', async () => {
    const handler = create({ token: TOKEN })
    expect(
      await ask(handler, 'GET session', { headers: { authorization: `Bearer ${TOKEN}` } }),
    ).toMatchObject({
      role: 'admin',
    })
  })

  const guessing = (options: DashboardOptions = {}) => {
    const handler = create({ token: TOKEN, ...options })
    return (token: string, remoteAddress?: string, forwardedFor?: string) => {
      const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
      const request = requestFor('POST session', { body: { token }, headers })
      return handler(request, { remoteAddress }).then(({ status }) => status)
    }
  }
  const lockOut = async (guess: ReturnType<typeof guessing>, ...client: string[]) => {
    for (let tries = 0; tries < 5; tries++) expect(await guess('wrong', ...client)).toBe(401)
    expect(await guess(TOKEN, ...client)).toBe(429)
  }

  it('refuses a client that guesses, even when it then guesses right, for a minute', async () => {
    let now = 0
    const guess = guessing({ now: () => now })
    await lockOut(guess, '203.0.113.1')
    now += 60_000
    expect(await guess(TOKEN, '203.0.113.1')).toBe(200)
  })

  it('counts wrong bearers as well', async () => {
    const handler = create({ token: TOKEN })
    const bearer = { headers: { authorization: 'Bearer x' }, remoteAddress: '203.0.113.1' }
    for (let tries = 0; tries < 5; tries++)
      expect(await refusal(handler, 'GET session', bearer)).toEqual([401, 'token_wrong'])
    expect(await refusal(handler, 'GET session', bearer)).toEqual([429, 'too_many_attempts'])
  })

  it('locks nobody out for another’s guesses, however many', async () => {
    const guess = guessing()
    for (let other = 0; other < 300; other++) await guess('wrong', `203.0.113.${other % 250}`)
    expect(await guess(TOKEN, '198.51.100.1')).toBe(200)
    await lockOut(guess, '127.0.0.1', '203.0.113.251')
    expect(await guess(TOKEN, '127.0.0.1', '198.51.100.2')).toBe(200)
    // Who claims to come from elsewhere is counted by the address that the proxy saw.
    expect(await guess(TOKEN, '10.0.0.1', '198.51.100.2, 203.0.113.251')).toBe(429)
    await lockOut(guess, '203.0.113.252')
    expect(await guess(TOKEN, '203.0.113.252', '198.51.100.2')).toBe(429)
  })

  it('locks nobody out where the server tells no address', async () => {
    const guess = guessing()
    for (let tries = 0; tries < 20; tries++) expect(await guess('wrong')).toBe(401)
    expect(await guess(TOKEN)).toBe(200)
  })

  it('takes the addresses of one IPv6 subscriber for one client', async () => {
    const guess = guessing()
    for (let tries = 0; tries < 5; tries++) await guess('wrong', `2001:db8:0:7::${tries}`)
    expect(await guess(TOKEN, '2001:0db8:0000:0007:1:2:3:4')).toBe(429)
    expect(await guess(TOKEN, '2001:db8:0:8::1')).toBe(200)
  })

  it('refuses a token that is quickly guessed', () => {
    expect(() => create({ token: 'short' })).toThrow(/16 characters/)
  })
})

describe('with roles', () => {
  it.each([
    ['viewer', 'GET events', 200],
    ['viewer', 'POST jobs/count', 400],
    ['viewer', 'POST events/{id}/reveal', 403],
    ['viewer', 'POST events/{id}/replay', 403],
    ['viewer', 'POST jobs', 403],
    ['viewer', 'GET audit', 403],
    ['operator', 'POST events/{id}/reveal', 200],
    ['operator', 'POST events/{id}/replay', 200],
    ['operator', 'POST events/{id}/runs/{handler}/discard', 403],
    ['operator', 'POST jobs/{id}/abort', 403],
    ['operator', 'GET settings', 403],
    ['admin', 'GET audit', 200],
    ['admin', 'POST jobs/{id}/abort', 404],
  ] as const)('%s asks %s: %i', async (role, name, status) => {
    const path = { id: 'msg_access', handler: 'x', resource: 'users' }
    const response = await as(role)(requestFor(name, { path }), LOCAL)
    expect(response.status).toBe(status)
  })

  it('a discarding job takes an admin', async () => {
    const body = {
      kind: 'discard',
      filter: { handler: 'x' },
      until: '2026-01-01T00:00:00Z',
      expected: 1,
      reason: 'x',
    }
    expect(await refusal(as('operator'), 'POST jobs', { body })).toEqual([403, 'role_insufficient'])
  })

  it('and nobody is let in whom the host does not know', async () => {
    expect(await refusal(as(null), 'GET overview')).toEqual([401, 'sign_in_required'])
  })

  it('nobody changes anything where it is read only', async () => {
    const handler = create({ readOnly: true })
    const path = { id: 'msg_access' }
    expect(await refusal(handler, 'POST events/{id}/replay', { path })).toEqual([501, 'feature_unavailable'])
    expect(await ask(handler, 'POST events/{id}/reveal', { path })).toMatchObject({ id: 'msg_access' })
  })
})

describe('a request that changes something', () => {
  const path = { id: 'msg_access' }

  it.each([
    ['without the header', { 'x-clerk-sync-csrf': '' }],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from a neighbour’s site', { 'sec-fetch-site': 'same-site' }],
    ['from an address line', { 'sec-fetch-site': 'none' }],
  ])('is refused %s', async (_, headers) => {
    expect(await refusal(create(), 'POST events/{id}/replay', { path, headers })).toEqual([
      403,
      'request_forged',
    ])
  })

  it('is judged by its origin where the browser is old', async () => {
    const from = (origin: string) => {
      const request = requestFor('POST events/{id}/replay', { path, headers: { origin } })
      request.headers.delete('sec-fetch-site')
      return create()(request, LOCAL).then(({ status }) => status)
    }
    expect([await from('https://evil.example'), await from('null'), await from(ORIGIN)]).toEqual([
      403, 403, 200,
    ])
  })

  it('is not read beyond its limit', async () => {
    const body = { kind: 'x'.repeat(70_000) }
    expect(await refusal(create(), 'POST jobs', { body })).toEqual([400, 'request_invalid'])
  })
})

describe('the page', () => {
  const html =
    '<!doctype html><base href="{{base}}"><script type="module" nonce="{{nonce}}" src="a-12345678.js"></script>'
  const asset = (type: string, hash: string, text: string) => ({
    type,
    hash,
    brotli: brotliCompressSync(text).toString('base64'),
  })
  const assets = new Map([
    ['index.html', asset('text/html', 'x', html)],
    ['a-12345678.js', asset('text/javascript', '12345678', 'hello()')],
  ])

  it('is served for every address, with a nonce of its own, and may talk to nobody else', async () => {
    const handler = create({ assets, basePath: '/deep/in/app' })
    const [first, second] = await Promise.all(
      ['/deep/in/app', '/deep/in/app/events/msg_1'].map(async (path) => {
        const response = await handler(new Request(`${ORIGIN}${path}`), LOCAL)
        const policy = response.headers.get('content-security-policy') ?? ''
        return { text: await response.text(), policy, nonce: /script-src 'nonce-([^']+)'/.exec(policy)?.[1] }
      }),
    )
    expect(first?.text).toBe(
      html.replace('{{base}}', '/deep/in/app/').replace('{{nonce}}', first?.nonce ?? ''),
    )
    expect(first?.nonce).not.toBe(second?.nonce)
    expect(first?.policy).toContain("default-src 'none'")
    expect(first?.policy).not.toMatch(/unsafe|https?:|\*/)
    expect((await handler(new Request(`${ORIGIN}/elsewhere`), LOCAL)).status).toBe(404)
  })

  it('gets its files compressed if it can, once and for ever', async () => {
    const handler = create({ assets })
    const get = (headers: Record<string, string>) =>
      handler(new Request(`${ORIGIN}/dashboard/a-12345678.js`, { headers }), LOCAL)
    const plain = await get({})
    expect([await plain.text(), plain.headers.get('content-encoding')]).toEqual(['hello()', null])
    const compressed = await get({ 'accept-encoding': 'gzip, br' })
    expect(brotliDecompressSync(Buffer.from(await compressed.arrayBuffer())).toString()).toBe('hello()')
    expect(compressed.headers.get('cache-control')).toContain('immutable')
    expect((await get({ 'if-none-match': plain.headers.get('etag') ?? '' })).status).toBe(304)
  })
})

describe('signing in with Clerk', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwtKey = publicKey.export({ type: 'spki', format: 'pem' }).toString()

  function sessionToken(claims: object, key = privateKey): string {
    const now = Math.floor(Date.now() / 1000)
    const payload = {
      sub: 'user_1',
      sid: 'sess_1',
      iss: 'https://clerk.example',
      iat: now,
      nbf: now - 10,
      exp: now + 60,
      ...claims,
    }
    const parts = [{ alg: 'RS256', typ: 'JWT', kid: 'ins_1' }, payload].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    const text = parts.join('.')
    return `${text}.${signBytes('sha256', Buffer.from(text), key).toString('base64url')}`
  }

  const status = async (token: string, handler: DashboardHandler) =>
    (await handler(requestFor('GET session', { headers: { cookie: `__session=${token}` } }), LOCAL)).status

  it('takes the role from the claims of a session token, and refuses forged and expired ones', async () => {
    const handler = create({
      environment: 'production',
      authorize: clerkSignIn({ jwtKey }),
      signInUrl: '/sign-in',
    })
    const metadata = { clerkSync: 'operator' }
    const headers = { cookie: `__session=${sessionToken({ metadata })}` }
    expect(await ask(handler, 'GET session', { headers })).toMatchObject({ name: 'user_1', role: 'operator' })
    expect(await status(sessionToken({}), handler)).toBe(401)
    expect(await status(sessionToken({ metadata: { clerkSync: 'root' } }), handler)).toBe(401)
    expect(await status(sessionToken({ metadata, exp: 1 }), handler)).toBe(401)
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    expect(await status(sessionToken({ metadata }, other), handler)).toBe(401)
    const response = await handler(requestFor('GET session'), LOCAL)
    expect(await response.json()).toMatchObject({ signIn: 'external', signInUrl: '/sign-in' })
  })
})

describe('hostile content', () => {
  it('passes through as JSON, unharmed', async () => {
    const hostile = `</script><img src=x onerror=alert(1)>"'\u2028\u202e\u0000__proto__`
    const data = {
      id: 'user_hostile',
      first_name: hostile,
      public_metadata: JSON.parse('{"__proto__":{"x":1}}'),
    }
    await deliver(sync, eventOf('user.created', data), { id: 'msg_hostile' })
    const handler = create({ maskPersonalData: false })
    const path = { resource: 'users', id: 'user_hostile' }
    const response = await handler(requestFor('GET resources/{resource}/{id}', { path }), LOCAL)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await response.json()).toMatchObject({ row: { first_name: hostile.replace('\u0000', '\ufffd') } })
    const event = await ask(handler, 'GET events/{id}', { path: { id: 'msg_hostile' } })
    expect(JSON.parse(event.body.text ?? '')).toMatchObject({ data: { first_name: hostile } })
  })

  it.each(['%', '%ff', '..%2f..%2fetc', "'; drop table events; --", '\u{1F4A9}'.repeat(50)])(
    'finds nothing by %j, and breaks nothing',
    async (id) => {
      const request = new Request(
        `${ORIGIN}/dashboard/api/events/${id.startsWith('%') ? id : encodeURIComponent(id)}`,
      )
      expect((await create()(request, LOCAL)).status).toBe(404)
      expect(await ask(create(), 'GET search', { query: { q: id } })).toEqual({ hits: [], isPartial: false })
    },
  )
})

describe('the live stream', () => {
  it('tells of new events, of the overview and of jobs, to whoever watches', async () => {
    const handler = create()
    const leaving = new AbortController()
    const response = await handler(
      new Request(`${ORIGIN}/dashboard/api/live`, { signal: leaving.signal }),
      LOCAL,
    )
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    const until = async (pattern: RegExp) => {
      while (!pattern.test(text)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`the stream ended after ${text}`)
        text += Buffer.from(value).toString()
      }
    }
    await until(/"kind":"overview"/)
    await deliver(sync, eventOf('user.created', { id: 'user_live' }), { id: 'msg_live' })
    await until(/"kind":"events","events":\[\{"id":"msg_live"/)
    expect(text).not.toContain('msg_access","type":"user.created","receivedAt"')
    leaving.abort()
    expect((await reader.read()).done).toBe(true)
  })
})

describe('mounted', () => {
  const listen = async (server: Server) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${port}`
  }

  /** Reads, and writes: with a body, as the browser does. */
  const use = async (base: string) => {
    const session = await fetch(`${base}/dashboard/api/session`)
    const headers = { 'x-clerk-sync-csrf': '1', 'content-type': 'application/json' }
    const body = JSON.stringify({ kind: 'replay', filter: {} })
    const count = await fetch(`${base}/dashboard/api/jobs/count`, { method: 'POST', headers, body })
    const { role } = (await session.json()) as Session
    return [role, ((await count.json()) as BulkCount).count.isAtLeast]
  }

  it('on Node’s own server', async () => {
    expect(await use(await listen(createServer(toNodeListener(create()))))).toEqual(['admin', false])
  })

  it('in Express, below a path', async () => {
    const app = express()
    app.use('/dashboard', toNodeListener(create()))
    expect(await use(await listen(createServer(app)))).toEqual(['admin', false])
  })

  it('in Hono, which is told the address', async () => {
    const app = new Hono()
    const handler = create()
    app.all('/dashboard/*', (c) => handler(c.req.raw, { remoteAddress: getConnInfo(c).remote.address }))
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    expect(await use(await listen(server))).toEqual(['admin', false])
  })

  it('in Hono without the address is closed, whatever name is asked for', async () => {
    const app = new Hono()
    const handler = create()
    app.all('/dashboard/*', (c) => handler(c.req.raw))
    const base = await listen(createAdaptorServer({ fetch: app.fetch }) as Server)
    for (const path of ['', '/api/session', '/api/events']) {
      expect((await fetch(`${base}/dashboard${path}`)).status).toBe(403)
    }
  })
})
