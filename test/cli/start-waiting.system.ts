/** `start` before its database can be used: it waits, says so, and goes on by itself. */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { CliProcess, type Finished, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { freePort } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const folder = temporaryFolder()

/** A server that may not be ready for long. */
class Waiting {
  readonly #cli: CliProcess
  readonly #port: number

  private constructor(cli: CliProcess, port: number) {
    this.#cli = cli
    this.#port = port
  }

  static async start(databaseUrl: string, args: readonly string[] = [], schema = 'clerk'): Promise<Waiting> {
    const port = await freePort()
    const env = { DATABASE_URL: databaseUrl, CLERK_SYNC_SCHEMA: schema, PORT: String(port) }
    return new Waiting(new CliProcess(['start', ...args], { cwd: await folder(), env }), port)
  }

  async readiness(): Promise<[status: number, body: Record<string, unknown>]> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/readyz`)
    return [response.status, (await response.json()) as Record<string, unknown>]
  }

  async untilReadiness(expected: unknown): Promise<void> {
    await expect.poll(() => this.readiness().catch(() => undefined)).toEqual(expected)
  }

  async deliver(): Promise<[status: number, body: Record<string, unknown>]> {
    const { headers, body } = sign(eventOf('user.created'))
    const url = `http://127.0.0.1:${this.#port}/api/webhooks/clerk`
    const response = await fetch(url, { method: 'POST', headers, body })
    return [response.status, (await response.json()) as Record<string, unknown>]
  }

  stop(signal: NodeJS.Signals): Promise<Finished> {
    return this.#cli.stop(signal)
  }
}

const READY = [200, { ok: true }]
const refused = (code: string) => [503, expect.objectContaining({ error: code, detail: expect.any(String) })]

describe('start with a database that is not there', () => {
  const nowhere = 'postgres://app:hunter2@127.0.0.1:1/app'

  it.each(['SIGTERM', 'SIGINT'] as const)('waits, and ends well with %s', async (signal) => {
    const server = await Waiting.start(nowhere)
    await server.untilReadiness(refused('database_unavailable'))
    expect(await server.deliver()).toEqual([503, { error: 'database_unavailable' }])
    const startedAt = performance.now()
    const { code, stdout, stderr } = await server.stop(signal)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(code).toBe(0)
    expect(stdout).not.toContain('ready')
    expect(stderr).toMatch(/! Waiting +database_unavailable: .*ECONNREFUSED/)
    expect(stderr).not.toContain('hunter2')
  })
})

describeWithPostgres('start before its database is ready', (url) => {
  const database = postgresDatabase(url)
  let server: Waiting | undefined
  afterEach(() => server?.stop('SIGKILL'))

  it('goes on by itself when the database comes', async () => {
    const { schema } = await database.location()
    const proxy = await TcpProxy.to(new URL(url))
    proxy.refuses = true
    server = await Waiting.start(proxy.url(new URL(url)), [], schema)
    await server.untilReadiness(refused('database_unavailable'))
    proxy.refuses = false
    await server.untilReadiness(READY)
    expect((await server.deliver())[0]).toBe(200)
    await server.stop('SIGTERM')
    await proxy.close()
  })

  it('waits for the migrations of another process', async () => {
    const other = postgresDatabase(url)
    const { schema } = await other.location()
    server = await Waiting.start(url, ['--no-migrate'], schema)
    await server.untilReadiness(refused('database_outdated'))
    expect(await server.deliver()).toEqual([503, { error: 'database_outdated' }])
    await other.open()
    await server.untilReadiness(READY)
    expect((await server.deliver())[0]).toBe(200)
  })

  it('waits while another process holds the lock of migrations, and ends with a signal', async () => {
    const other = postgresDatabase(url)
    const { schema } = await other.location()
    await (await other.open()).close()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`begin; lock table "${schema}".migrations in access exclusive mode`)
    server = await Waiting.start(url, [], schema)
    await server.untilReadiness(refused('database_preparing'))
    await sleep(300)
    const startedAt = performance.now()
    expect((await server.stop('SIGTERM')).code).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    await client.end()
  })

  it('waits for a database that refuses writes, and says so when it begins to', async () => {
    const { schema } = await database.location()
    await database.open()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const role = `reader_${schema}`
    await client.query(`create role "${role}" superuser login`)
    const refuse = (isRefused: boolean) =>
      client.query(`alter role "${role}" set default_transaction_read_only = ${isRefused}`)
    await refuse(true)
    const asRole = new URL(url)
    asRole.username = role
    server = await Waiting.start(asRole.href, [], schema)
    await server.untilReadiness(refused('database_read_only'))
    expect(await server.deliver()).toEqual([503, { error: 'database_read_only' }])
    await refuse(false)
    await server.untilReadiness(READY)
    expect((await server.deliver())[0]).toBe(200)
    await server.stop('SIGTERM')
    await client.query(`drop role "${role}"`)
    await client.end()
  })

  it('is not ready while the disk is full', async () => {
    const full = postgresDatabase(url)
    const { schema } = await full.location()
    const sync = await full.open()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`
      create function "${schema}".no_space() returns trigger language plpgsql as $$ begin
        raise exception using errcode = '53100', message = 'could not extend file "base/1/2": No space left on device';
      end $$;
      create trigger no_space before insert on "${schema}".events for each row execute function "${schema}".no_space()`)
    server = await Waiting.start(url, [], schema)
    await server.untilReadiness(READY)
    expect((await server.deliver())[0]).toBe(503)
    expect(await server.readiness()).toEqual(refused('database_disk_full'))
    await client.query(`drop trigger no_space on "${schema}".events`)
    expect((await server.deliver())[0]).toBe(200)
    expect(await server.readiness()).toEqual(READY)
    await client.end()
    await sync.close()
  })
})
