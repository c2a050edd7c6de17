/**
 * The Next.js example, built and started, for a user who is signed in: the page after the sign-up, whose webhook has not
 * come yet, and a change of the user, whose webhook is under way.
 */

import { execFile, spawn } from 'node:child_process'
import { createSign, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ClerkEvent } from '../../src/index.ts'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { installPackage } from '../support/built.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { sign } from '../support/deliveries.ts'
import { freePort } from '../support/redis-server.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NEXT = createRequire(import.meta.url).resolve('next/dist/bin/next')
/** How long the webhook of a change is under way. */
const WEBHOOK_MS = 700

const newKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const { privateKey, publicKey } = newKeys()
const KEY_ID = 'ins_example'

/** As Clerk's session tokens are. */
function sessionToken(userId: string, key = privateKey): string {
  const now = Math.floor(Date.now() / 1_000)
  const header = { alg: 'RS256', typ: 'JWT', kid: KEY_ID }
  const claims = {
    iss: 'https://foo.accounts.dev',
    sub: userId,
    sid: 'sess_example',
    iat: now - 5,
    nbf: now - 5,
    exp: now + 60,
  }
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
}

describeWithPostgres('the Next.js example, for somebody who is signed in', (url) => {
  const database = postgresDatabase(url)
  const clerk = createSimulatedClerk({ seed: 70 })
  let api: BackendApi
  let app: { readonly origin: string; stop(): Promise<void> }
  /** Clerk, as the app sees it: its keys, its lists, and the changes that it takes. */
  const front = createServer((request, response) => void answer(request, response))

  beforeAll(async () => {
    await database.open()
    api = await startBackendApi(clerk, { rateLimit: null })
    front.listen(0, '127.0.0.1')
    await once(front, 'listening')
    const { schema } = await database.location()
    app = await startExample({
      DATABASE_URL: url,
      CLERK_SYNC_SCHEMA: schema,
      CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
      CLERK_SECRET_KEY: api.secretKey,
      CLERK_API_URL: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
      NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: `pk_test_${btoa('foo.accounts.dev$')}`,
    })
  }, 300_000)

  afterAll(async () => {
    await app?.stop()
    front.closeAllConnections()
    front.close()
    await api?.close()
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request
    response.setHeader('content-type', 'application/json')
    if (path === '/v1/jwks') {
      const key = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }
      return void response.end(JSON.stringify({ keys: [key] }))
    }
    const [, userId = ''] = /^\/v1\/users\/(\w+)$/.exec(path) ?? []
    if (method === 'PATCH') {
      const events = rename(userId)
      setTimeout(() => void Promise.all(events.map(post)), WEBHOOK_MS)
      return void response.end(JSON.stringify(clerk.resources('users').get(userId)))
    }
    const shown = await fetch(`${api.url}${path}`, {
      headers: { authorization: String(headers.authorization) },
    })
    response.statusCode = shown.status
    response.end(await shown.text())
  }

  /** Some change that changes the first name. */
  function rename(userId: string): ClerkEvent[] {
    const nameOf = () => clerk.resources('users').get(userId)?.first_name
    const before = nameOf()
    const events: ClerkEvent[] = []
    while (nameOf() === before) events.push(...clerk.act('updateUser', userId))
    return events
  }

  async function post(event: ClerkEvent): Promise<number> {
    const { headers, body } = sign(event)
    return (await fetch(`${app.origin}/api/webhooks/clerk`, { method: 'POST', headers, body })).status
  }

  async function me(token: string | null, form?: FormData): Promise<string> {
    const headers: Record<string, string> = { origin: app.origin }
    if (token) headers.authorization = `Bearer ${token}`
    const response = await fetch(
      `${app.origin}/me`,
      form ? { method: 'POST', headers, body: form } : { headers },
    )
    expect(response.status).toBe(200)
    return response.text()
  }

  async function rowOf(id: string) {
    const sync = await database.open()
    return sync.database
      .selectFrom('users')
      .select(['first_name', 'event_id'])
      .where('id', '=', id)
      .executeTakeFirst()
  }

  it('shows nobody to those who are not', async () => {
    expect(await me(null)).toContain('You are not signed in.')
    const [event] = clerk.act('createUser')
    const forged = sessionToken(String(event?.data.id), newKeys().privateKey)
    expect(await me(forged)).toContain('You are not signed in.')
  })

  it('has the row right after the sign-up, though no webhook came: ensure', async () => {
    const [event] = clerk.act('createUser') as [ClerkEvent]
    const id = String(event.data.id)
    expect(await rowOf(id)).toBeUndefined()
    const name = clerk.resources('users').get(id)?.first_name
    expect(await me(sessionToken(id))).toContain(`value="${name}"`)
    expect(await rowOf(id)).toEqual({ first_name: name, event_id: null })

    // Once the row is there, nobody asks Clerk.
    const asked = api.requests.length
    expect(await me(sessionToken(id))).toContain(`value="${name}"`)
    expect(api.requests.length).toBe(asked)
    expect(await post(event)).toBe(200)
    expect(await me(sessionToken(id))).toContain(`value="${name}"`)
  })

  it('shows a change once its webhook has come: waitFor', async () => {
    const [event] = clerk.act('createUser') as [ClerkEvent]
    const id = String(event.data.id)
    await post(event)
    const before = await me(sessionToken(id))
    const [, action = ''] = /name="(\$ACTION_ID_\w+)"/.exec(before) ?? []
    const form = new FormData()
    form.set(action, '')
    form.set('firstName', 'Ada')
    const startedAt = performance.now()
    const after = await me(sessionToken(id), form)
    const name = clerk.resources('users').get(id)?.first_name
    expect(performance.now() - startedAt).toBeGreaterThan(WEBHOOK_MS)
    expect(before).not.toContain(`value="${name}"`)
    expect(after).toContain(`value="${name}"`)
    expect(await rowOf(id)).toEqual({ first_name: name, event_id: expect.stringMatching(/^msg_/) })
  })
})

/** A copy of the example, with the package as it is built, inside the repository, whose Next and React it takes. */
async function startExample(variables: Record<string, string>) {
  const folder = await mkdtemp(join(ROOT, 'test/adapters/.next-example-'))
  await cp(join(ROOT, 'examples/next'), folder, {
    recursive: true,
    filter: (path) => !/node_modules|\.next$|\.env|package/.test(path.slice(ROOT.length)),
  })
  await installPackage(join(folder, 'node_modules/clerk-sync'))
  const { PATH, HOME } = process.env
  const port = await freePort()
  const env = { PATH, HOME, ...variables, CLERK_TELEMETRY_DISABLED: '1', NEXT_TELEMETRY_DISABLED: '1' }
  await run(process.execPath, [NEXT, 'build', folder], { env: { ...env, NODE_ENV: 'production' } })
  const server = spawn(process.execPath, [NEXT, 'start', folder, '-p', String(port)], {
    env: { ...env, NODE_ENV: 'production' },
    stdio: 'ignore',
  })
  const origin = `http://localhost:${port}`
  while (
    !(await fetch(origin).then(
      () => true,
      () => false,
    ))
  ) {
    if (server.exitCode !== null) throw new Error('the example does not start')
    await sleep(100)
  }
  return {
    origin,
    stop: async () => {
      const ended = once(server, 'exit')
      server.kill()
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
