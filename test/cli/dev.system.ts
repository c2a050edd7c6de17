import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Webhook } from 'svix'
import { expect, it, vi } from 'vitest'
import { CliProcess, jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const folder = temporaryFolder()
const INDEX = new URL('../../src/index.ts', import.meta.url).href

it('ends when it cannot begin', async () => {
  const cwd = await folder()
  const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined, PORT: '' }
  const { code, stderr } = await runCli(['dev', '--database', 'mysql://x/y'], { cwd, env })
  expect([code, stderr]).toEqual([1, expect.stringContaining('option_invalid')])
}, 30_000)

it('lives with nothing configured, until Ctrl-C, and with --fresh starts from nothing', async () => {
  const cwd = await folder()
  const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined, PORT: '' }
  const cli = new CliProcess(['dev', '--json', '--rate', '20/s'], { cwd, env })
  await cli.until(/"outcome":"applied"/)
  expect(jsonLines(cli.stdout.slice(0, cli.stdout.indexOf('\n')))[0]).toMatchObject({
    type: 'ready',
    dashboard: expect.stringMatching(/\/dashboard$/),
    simulated: true,
    seed: expect.any(Number),
    database: { kind: 'embedded', name: join(cwd, '.clerk-sync/dev') },
  })
  const { signal, stdout, stderr } = await cli.stop('SIGINT')
  expect([signal, stderr]).toEqual(['SIGINT', ''])
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'summary', total: expect.any(Number) })

  const again = new CliProcess(['dev', '--fresh', '--port', '0'], { cwd, env })
  await again.until(/^ready webhooks=http:\S+ dashboard=http:\S+\n/)
  const end = await again.stop()
  expect([end.code, end.stderr]).toEqual([0, expect.stringContaining('migrated: 0001')])
}, 120_000)

it.each(['--forward-to=http://localhost:9', '--tunnel=clerk'])(
  'does not begin with %s what nobody could verify',
  async (option) => {
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined, SVIX_KEY: SECRET }
    const finished = await runCli(['dev', option], { cwd: await folder(), env })
    expect(finished).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('secret_missing') })
    expect(finished.stderr).toContain('SVIX_KEY holds a whsec_ value')
  },
)

it.each([
  ['--port', '65536'],
  ['--port', '-1'],
  ['--port', 'http'],
  ['--seed', '0'],
  ['--tunnel', 'carrier-pigeon'],
])('does not understand %s %s', async (option, value) => {
  const finished = await runCli(['dev', option, value], { cwd: await folder() })
  expect(finished).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(option) })
})

it('lets simulated people into a database on another machine only when it is told to', async () => {
  const database = 'postgres://app@db.example.com/app'
  const args = ['dev', '--simulate', '--database', database]
  const finished = await runCli(args, { cwd: await folder() })
  expect(finished).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--yes') })
  expect(finished.stderr).toContain('db.example.com')
})

describeWithPostgres('dev with a secret', (url) => {
  const database = postgresDatabase(url)
  const environment = async () => ({
    PORT: '0',
    DATABASE_URL: url,
    CLERK_SYNC_SCHEMA: (await database.location()).schema,
  })

  async function start(args: readonly string[], env = {}, cwd?: string): Promise<CliProcess> {
    const cli = new CliProcess(['dev', '--json', ...args], {
      cwd: cwd ?? (await folder()),
      env: { ...(await environment()), ...env },
    })
    await cli.until(/"type":"ready"/)
    return cli
  }

  /** An app’s own webhook route, and what it got. */
  async function startApp(statuses: readonly number[]) {
    const got: { headers: NodeJS.Dict<string | string[]>; body: string }[] = []
    const app = createServer(async (request, response) => {
      got.push({ headers: request.headers, body: (await buffer(request)).toString() })
      response.writeHead(statuses[got.length - 1] ?? 200).end()
    })
    await listen(app)
    return { got, app, url: `http://127.0.0.1:${(app.address() as AddressInfo).port}/hook` }
  }

  it('runs handlers and forwards the same bytes and headers, but no forgery', async () => {
    const cwd = join(await folder(), 'handlers')
    await mkdir(cwd)
    await writeFile(
      join(cwd, 'clerk-sync.config.mjs'),
      `import { defineConfig, on } from '${INDEX}'
export default defineConfig({ handlers: [on('user.created', async () => {}, { name: 'welcome' })] })`,
    )
    const { got, app, url: route } = await startApp([200, 404])
    const cli = await start(['--forward-to', route], {}, cwd)

    const body = JSON.stringify(eventOf('user.created'), null, 2)
    const signed = sign(body)
    const post = (headers: Record<string, string>) => fetch(cli.url, { method: 'POST', headers, body })
    expect((await post({ ...signed.headers, 'user-agent': 'Svix-Webhooks/1' })).status).toBe(200)
    await cli.until(/"type":"delivery"/)
    await cli.until(/"handler":"welcome"/)
    const forged = sign(body, { secret: `whsec_${btoa('not the right secret at all')}` })
    expect((await post(forged.headers)).status).toBe(400)
    const second = sign(body)
    expect((await post(second.headers)).status).toBe(200)
    await cli.until(/"status":404/)

    expect(got.map(({ headers }) => headers['svix-id'])).toEqual([signed.id, second.id])
    expect(got[0]?.headers).toMatchObject({ ...signed.headers, 'user-agent': 'Svix-Webhooks/1' })
    expect(got[0]?.body).toBe(body)
    const answers = jsonLines(cli.stdout).filter(({ type }) => type === 'delivery')
    expect(answers).toMatchObject([{ status: 200 }, { status: 404, error: { code: 'route_not_found' } }])
    expect(cli.stdout).not.toContain(SECRET)
    expect((await cli.stop()).code).toBe(0)
    app.close()
  }, 60_000)

  it('says once that the app is down, and once that it is back', async () => {
    const { app, url: route } = await startApp([])
    const { port } = app.address() as AddressInfo
    await closed(app)
    const cli = await start(['--forward-to', route])
    await cli.until(/"reachable":false/)
    await listen(app, port)
    await cli.until(/"reachable":true/)
    const told = jsonLines((await cli.stop()).stdout).filter(({ type }) => type === 'forward')
    expect(told.map(({ reachable }) => reachable)).toEqual([false, true])
    app.close()
  }, 60_000)

  it('forwards no more to an app that answers nothing than it can keep', async () => {
    const app = createServer(() => undefined)
    await listen(app)
    const route = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
    const cli = await start(['--forward-to', route])
    for (let index = 0; index < 101; index++) {
      const { headers, body } = sign(eventOf('user.updated'))
      expect((await fetch(cli.url, { method: 'POST', headers, body })).status).toBe(200)
    }
    await cli.until(/"skipped":1\b/)
    expect((await cli.stop()).stdout).not.toContain('"skipped":2')
    app.closeAllConnections()
    app.close()
  }, 60_000)

  it('listens where it is told to, and says how to open it', async () => {
    const cli = await start(['--host', '0.0.0.0'])
    const { port } = new URL(cli.url)
    expect(cli.url).toBe(`http://localhost:${port}/api/webhooks/clerk`)
    expect((await fetch(`http://127.0.0.2:${port}/healthz`)).status).toBe(200)
    await cli.stop()
  })

  it('tells every event with what Svix’s own library verifies', async () => {
    const cli = await start(['--simulate', '--database', url, '--rate', '20/s'])
    await cli.until(/"type":"event"/)
    const events = jsonLines((await cli.stop()).stdout).filter(({ type }) => type === 'event')
    for (const event of events as unknown as EventLine[]) {
      const body = Buffer.from(event.body_b64, 'base64').toString()
      expect(() => new Webhook(SECRET).verify(body, event.headers)).not.toThrow()
      expect(JSON.parse(body)).toMatchObject({ type: event.event_type })
      expect(event.headers['svix-id']).toBe(event.svix_id)
    }
  }, 60_000)

  it('repeats a run with the same seed: the same people do the same things', async () => {
    const [first, second, other] = [await history('7'), await history('7'), await history('8')]
    expect(second).toEqual(first)
    expect(other).not.toEqual(first)
  }, 120_000)

  /** The first things that happen, in the order in which they happen, and to whom. */
  async function history(seed: string): Promise<unknown[]> {
    const cli = await start(['--simulate', '--database', url, '--rate', '50/s', '--seed', seed])
    expect(jsonLines(cli.stdout)[0]).toMatchObject({ seed: Number(seed) })
    const linesOf = () => jsonLines(cli.stdout.slice(0, cli.stdout.lastIndexOf('\n')))
    const eventsOf = () => linesOf().filter(({ type }) => type === 'event') as unknown as EventLine[]
    await vi.waitUntil(() => eventsOf().length > 80, { timeout: 60_000 })
    const events = eventsOf().map(({ body_b64 }) => JSON.parse(Buffer.from(body_b64, 'base64').toString()))
    await cli.stop()
    // Events of one moment come in any order.
    return events
      .sort((a, b) => a.timestamp - b.timestamp || a.type.localeCompare(b.type))
      .slice(0, 60)
      .map(({ type, data }) => [type, data.first_name, data.name, data.email_addresses?.[0]?.email_address])
  }

  it('serves the dashboard, whose simulator sends events that are taken', async () => {
    const cli = await start(['--simulate', '--database', url, '--rate', '1/m'])
    const api = `${jsonLines(cli.stdout)[0]?.dashboard}/api`
    const ask = async (path: string, init?: RequestInit) => {
      const headers = { 'content-type': 'application/json', 'x-clerk-sync-csrf': '1' }
      return (await fetch(`${api}/${path}`, { headers, ...init })).json() as Promise<Answer>
    }
    expect(await ask('session')).toMatchObject({
      environment: 'simulated',
      features: { simulator: true, doctor: true, settings: true, clerkApi: true },
    })
    const { types } = await ask('simulator')
    const sample = types.find(({ type }) => type === 'user.created')?.sample
    const post = (type: string, data: unknown) =>
      ask('simulator', { method: 'POST', body: JSON.stringify({ type, data }) })
    const sent = await post('user.created', { ...sample, first_name: 'Zenobia' })
    expect(sent).toMatchObject({ outcome: 'applied' })
    await cli.until(new RegExp(sent.eventId as string))
    expect(await post('no.such_type', sample)).toMatchObject({ code: 'request_invalid' })
    const sync = await database.open()
    const user = sync.database
      .selectFrom('users')
      .select('first_name')
      .where('id', '=', sample?.id as string)
    expect(await user.executeTakeFirst()).toEqual({ first_name: 'Zenobia' })
    await cli.stop()
  }, 60_000)

  it('never asks the real Clerk for simulated people', async () => {
    const env = { CLERK_SECRET_KEY: 'sk_live_real', CLERK_API_URL: 'http://127.0.0.1:9' }
    const cli = await start(['--simulate', '--database', url, '--rate', '1/m', '--seed', '7'], env)
    await cli.until(/"event_type":"user.created"/)
    const [event] = jsonLines(cli.stdout).filter(({ event_type }) => event_type === 'user.created')
    const api = `${jsonLines(cli.stdout)[0]?.dashboard}/api`
    const headers = { 'x-clerk-sync-csrf': '1' }
    const path = `resources/users/${event?.resource_id}/compare`
    const response = await fetch(`${api}/${path}`, { method: 'POST', headers })
    expect(await response.json()).toMatchObject({ result: 'same', problem: null })
    await cli.stop()
  }, 60_000)
})

/** Of the dashboard. */
type Answer = Record<string, string> & { types: { type: string; sample: Record<string, string> }[] }

interface EventLine {
  readonly svix_id: string
  readonly event_type: string
  readonly headers: Record<string, string>
  readonly body_b64: string
}

async function listen(server: Server, port = 0): Promise<void> {
  await once(server.listen(port, '127.0.0.1'), 'listening')
}

async function closed(server: Server): Promise<void> {
  await once(server.close(), 'close')
}
