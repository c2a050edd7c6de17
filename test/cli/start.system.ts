import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type CliProcess, jsonLines, runCli, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { eventOf, type SignedRequest, sign } from '../support/deliveries.ts'
import { createTcpProxy, RawConnection, rawDelivery } from '../support/sockets.ts'

function post(url: string, { headers, body }: SignedRequest): Promise<Response> {
  return fetch(url, { method: 'POST', headers, body })
}

const connectionTo = (cli: CliProcess) => new RawConnection(Number(new URL(cli.url).port))

const delivery = () => sign(eventOf('user.created'))
const forged = () => sign(eventOf('user.created'), { secret: `whsec_${btoa('not the right secret at all')}` })

describe('start on the embedded database', () => {
  const folder = temporaryFolder()

  it('creates it, says what it promises, takes a delivery, finds it again, and shares it with nobody', async () => {
    const cwd = await folder()
    const first = await startCli([], { cwd })
    expect(first.url).toMatch(/^http:\/\/localhost:\d+\/api\/webhooks\/clerk$/)
    expect((await post(first.url, delivery())).status).toBe(200)
    const { code, stderr } = await first.stop()
    expect(code).toBe(0)
    expect(stderr).toContain(`creating an embedded Postgres in ${join(cwd, '.clerk-sync')}`)
    expect(stderr).toContain('Its data survives a crash of this process, but not a power loss.')
    expect(stderr).toMatch(/Secrets +1, from CLERK_WEBHOOK_SIGNING_SECRET\n/)
    expect(stderr).toMatch(/Schema +clerk, migrated: 0001/)
    expect(stderr).toMatch(/1 in · 1 applied · /)

    const again = await startCli(['--json'], { cwd })
    const second = await runCli(['events', 'list'], { cwd })
    expect([second.code, second.stdout]).toEqual([1, ''])
    expect(second.stderr).toContain('✗ embedded_locked')
    await again.stop()
    const listed = await runCli(['events', 'list', '--json'], { cwd })
    expect(jsonLines(listed.stdout)).toMatchObject([{ type: 'user.created', outcome: 'applied' }])
  })
})

describe('start with a careless handler', () => {
  const folder = temporaryFolder()
  const config = fileURLToPath(new URL('careless-config.ts', import.meta.url))

  it('shows its lines, and outlives a promise that it does not await', async () => {
    const cli = await startCli(['--config', config, '--json'], { cwd: await folder() })
    expect((await post(cli.url, delivery())).status).toBe(200)
    await cli.until(/nobody waits for this/)
    expect((await post(cli.url, delivery())).status).toBe(200)
    await cli.until(/("ending":"handled".*){2}/s)
    const { code, stdout } = await cli.stop()
    const lines = jsonLines(stdout).filter(({ type }) => type === 'log')
    const told = lines.map(({ msg }) => msg)
    expect([code, told]).toEqual([
      0,
      expect.arrayContaining(['handler', 'delivery', 'delivery refused', 'just text']),
    ])
  })
})

describe('start without a way to start', () => {
  const folder = temporaryFolder()
  const start = async (env: Record<string, string | undefined>, ...args: string[]) =>
    runCli(['start', ...args], { cwd: await folder(), env })

  it('says where the secret is to be found', async () => {
    const { code, stdout, stderr } = await start({ CLERK_WEBHOOK_SIGNING_SECRET: undefined })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('✗ secret_missing')
    expect(stderr.replace(/\s+/g, ' ')).toContain('Clerk Dashboard → Webhooks')
  })

  it.each([
    ['secret_is_api_key', 'sk_test_abcdefghijklmnop'],
    ['secret_bad_prefix', 'WHSEC_abcdefghijklmnop'],
    ['secret_quoted', `"${SECRET}"`],
    ['secret_too_short', 'whsec_dG9vIHNob3J0'],
    ['secret_bad_base64', `${SECRET}!`],
    ['secret_empty', 'whsec_=='],
    ['secret_low_entropy', `whsec_${'A'.repeat(32)}`],
  ])('names what is wrong with a secret: %s', async (code, secret) => {
    const finished = await start({ CLERK_WEBHOOK_SIGNING_SECRET: secret }, '--json')
    expect([finished.code, finished.stdout]).toEqual([1, ''])
    expect(jsonLines(finished.stderr)).toEqual([
      { error: { code, message: expect.any(String), remedy: expect.any(String) } },
    ])
    expect(finished.stderr).not.toContain(secret)
  })
})

describeWithPostgres('start on Postgres', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  const environment = async () => {
    const { schema } = await database.location()
    return { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema }
  }
  const start = async (args: string[] = [], env: Record<string, string> = {}) =>
    startCli(args, { cwd: await folder(), env: { ...(await environment()), ...env } })

  it('tells of every delivery as JSON, from ready to summary', async () => {
    const cli = await start(['--json', '--host', '0.0.0.0', '--path', '/hook'])
    expect(cli.url).toMatch(/^http:\/\/localhost:\d+\/hook$/)
    const signed = sign(eventOf('user.updated', { id: 'user_told', first_name: 'Ada' }, 1_800_000_000_000))
    const later = eventOf('user.updated', {
      id: 'user_told',
      first_name: 'Eva',
      updated_at: 1_800_000_000_000,
    })
    expect((await post(cli.url, signed)).status).toBe(200)
    expect((await post(cli.url, signed)).status).toBe(200)
    expect((await post(cli.url, sign(later))).status).toBe(200)
    expect((await post(cli.url, forged())).status).toBe(400)
    const { code, stdout, stderr } = await cli.stop()
    expect([code, stderr]).toEqual([0, ''])
    const { schema } = await database.location()
    const time = expect.stringMatching(/^\d{4}-.*Z$/)
    expect(jsonLines(stdout)).toEqual([
      {
        type: 'ready',
        role: 'all',
        time,
        webhooks: cli.url,
        database: { kind: 'postgres', name: expect.any(String), schema },
      },
      {
        type: 'event',
        level: 'info',
        time,
        msg: 'delivery',
        eventId: signed.id,
        event_type: 'user.updated',
        resource: 'users',
        resource_id: 'user_told',
        outcome: 'applied',
        reason: null,
        changed: [],
        ms: expect.any(Number),
      },
      expect.objectContaining({ eventId: signed.id, outcome: 'duplicate' }),
      expect.objectContaining({ outcome: 'applied', changed: expect.arrayContaining(['first_name']) }),
      expect.objectContaining({ type: 'refusal', level: 'warn', code: 'signature_mismatch', status: 400 }),
      {
        type: 'summary',
        time,
        total: 4,
        applied: 2,
        duplicate: 1,
        rejected: 1,
        refused: 0,
        ms: expect.any(Number),
      },
    ])
  })

  it('prints a plain ready line and then JSON where nobody watches', async () => {
    const cli = await start()
    await post(cli.url, delivery())
    await post(cli.url.replace('/api', ''), delivery())
    const { stdout, stderr } = await cli.stop()
    const [ready, ...lines] = stdout.trim().split('\n')
    expect(ready).toBe(`ready webhooks=${cli.url}`)
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['event', 'event', 'summary'])
    expect(stderr).toContain(new URL(url).host)
    expect(stderr).toContain('2 in · 2 applied')
  })

  it('says nothing but data with --quiet', async () => {
    const cli = await start(['--quiet'])
    const { stdout, stderr } = await cli.stop()
    expect([stdout.split('\n')[0], stderr]).toEqual([`ready webhooks=${cli.url}`, ''])
  })

  it('answers the delivery under way when it is told to stop, and exits with 0', async () => {
    const cli = await start()
    const signed = delivery()
    const underWay = connectionTo(cli).send(rawDelivery(signed, { sent: 99 }))
    await sleep(200)
    cli.send('SIGTERM')
    await sleep(100)
    expect(await underWay.send(signed.body.slice(99)).untilClosed()).toMatch(/^HTTP\/1.1 200 /)
    expect(await cli.ended).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Finishing requests: 1 …'),
    })
  })

  it('dies of SIGINT when it is interrupted, and of the second signal at once', async () => {
    const cli = await start()
    expect(await cli.stop('SIGINT')).toMatchObject({ code: null, signal: 'SIGINT' })

    const stuck = await start()
    const slow = connectionTo(stuck).send(rawDelivery(delivery(), { sent: 0 }))
    await sleep(200)
    stuck.send('SIGTERM')
    await sleep(200)
    const startedAt = performance.now()
    expect(await stuck.stop('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    slow.close()
  })

  it('names a port that is taken, and the way out', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const env = { ...(await environment()), PORT: String(port) }
    const { code, stdout, stderr } = await runCli(['start'], { cwd: await folder(), env })
    other.close()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('✗ port_taken')
    expect(stderr).toContain(`127.0.0.1:${port}`)
    expect(stderr).toContain('--port')
  })

  it('takes a flag before the environment, and the environment before its files', async () => {
    const cwd = await folder()
    await writeFile(join(cwd, '.env'), 'PORT=1\nHOST=203.0.113.1\nCLERK_SYNC_SCHEMA=nowhere\n')
    const env = { ...(await environment()), PORT: '0', HOST: '127.0.0.1' }
    const cli = await startCli(['--port', ''], { cwd, env })
    expect(cli.stdout).toMatch(/localhost:(?!1\/)/)
    await cli.stop()
    await writeFile(join(cwd, '.env'), '')
  })

  it('goes on without its database and takes deliveries when it is back', async () => {
    const { hostname, port } = new URL(url)
    const proxy = await createTcpProxy({ host: hostname, port: Number(port || 5432) })
    const viaProxy = new URL(url)
    viaProxy.host = `127.0.0.1:${proxy.port}`
    const cli = await start([], { DATABASE_URL: viaProxy.href })
    proxy.cut()
    expect((await post(cli.url, delivery())).status).toBe(503)
    proxy.restore()
    expect((await post(cli.url, delivery())).status).toBe(200)
    const { code, stdout } = await cli.stop()
    proxy.close()
    expect(code).toBe(0)
    expect(stdout).toContain('"code":"database_unavailable"')
    expect(jsonLines(stdout.replace(/^ready.*\n/, '')).at(-1)).toMatchObject({ applied: 1, refused: 1 })
  })
})
