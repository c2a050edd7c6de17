import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type OutgoingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVENT_TYPES } from '../../src/index.ts'
import { type CliProcess, callCli, jsonLines, runCli, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { eventIn } from '../support/ledger.ts'

describeWithPostgres('trigger', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  let server: CliProcess

  beforeAll(async () => {
    const { schema } = await database.location()
    server = await startCli([], {
      cwd: await folder(),
      env: { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema },
    })
  })
  afterAll(() => server.stop())

  const trigger = async (args: string[], input = '') =>
    input === ''
      ? callCli(['trigger', '--to', server.url, ...args], { cwd: await folder() })
      : runCli(['trigger', '--to', server.url, ...args], { cwd: await folder(), input })
  const recorded = async (id: unknown) => {
    const sync = await database.open()
    const event = await eventIn(sync, String(id)).catch(() => undefined)
    return { ...event, body: JSON.parse(Buffer.from(event?.body ?? '{}').toString()) }
  }

  it('says what is wrong with PORT, and takes an empty variable for none', async () => {
    const cwd = await folder()
    const wrong = await callCli(['trigger', 'user.created'], { cwd, env: { PORT: 'abc' } })
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('PORT is no number')])
    const empty = await callCli(['trigger', 'user.created', '--print'], {
      cwd,
      env: { CLERK_SYNC_CONFIG: '' },
    })
    expect(empty.code).toBe(0)
  })

  it('sends every type that Clerk has, and every one is applied', async () => {
    const { code, stdout } = await trigger([...EVENT_TYPES, '--json'])
    expect(code).toBe(0)
    const answers = jsonLines(stdout)
    expect(answers.map((answer) => answer.event_type)).toEqual(EVENT_TYPES)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    const sync = await database.open()
    const events = await sync.database.selectFrom('events').select(['type', 'outcome']).execute()
    expect(events.filter(({ outcome }) => outcome !== 'applied')).toEqual([])
    expect(new Set(events.map(({ type }) => type)).size).toBe(46)
  })

  it('shows what it sent and what came back', async () => {
    const { code, stdout } = await trigger(['user.created', '--id', 'msg_shown'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^→ user.created msg_shown\n← 200 POST http:\/\/localhost:\d+\/api\/webhooks\/clerk \d+ms\n$/,
    )
  })

  it('makes fresh ids and times, and changes what it is told to', async () => {
    const sets = [
      'data.first_name=Ada=Eva',
      'data.private_metadata.plan.seats=3',
      'data.email_addresses.0.reserved=true',
      'data.username=null',
    ]
    const args = ['user.created', '--json', '--late', '10m', ...sets.flatMap((set) => ['--set', set])]
    const { stdout } = await trigger(args)
    const [answer] = jsonLines(stdout)
    const { body, occurred_at } = await recorded(answer?.id)
    expect(body.data).toMatchObject({
      id: expect.stringMatching(/^user_[0-9A-Za-z]{27}$/),
      first_name: 'Ada=Eva',
      private_metadata: { crm_id: 'c-1', plan: { seats: 3 } },
      email_addresses: [{ reserved: true }],
      username: null,
    })
    const tenMinutesAgo = Date.now() - 600_000
    for (const time of [occurred_at?.getTime() as number, body.data.updated_at, body.data.created_at]) {
      expect(Math.abs(time - tenMinutesAgo)).toBeLessThan(30_000)
    }
    const [other] = jsonLines((await trigger(['user.created', '--json'])).stdout)
    expect(other?.resource_id).not.toBe(answer?.resource_id)
  })

  it('sends data from a file or from stdin as it is', async () => {
    const data = { id: 'user_given', first_name: 'Given', updated_at: 1_800_000_000_000 }
    await writeFile(join(await folder(), 'data.json'), JSON.stringify(data))
    const [fromFile] = jsonLines((await trigger(['user.updated', '--json', '--data', '@data.json'])).stdout)
    expect((await recorded(fromFile?.id)).body.data).toEqual(data)
    const event = JSON.stringify({
      type: 'user.updated',
      data,
      timestamp: 1_800_000_000_001,
      instance_id: 'ins_x',
    })
    const [fromStdin] = jsonLines((await trigger(['user.updated', '--json', '--data', '-'], event)).stdout)
    expect((await recorded(fromStdin?.id)).body).toEqual(JSON.parse(event))

    for (const [type, input] of [
      ['user.created', event],
      ['user.updated', '[1]'],
    ] as const) {
      expect(await trigger([type, '--data', '-'], input)).toMatchObject({ code: 2, stdout: '' })
    }
    expect((await trigger(['user.updated', '--data', '@nowhere.json'])).stderr).toContain('nowhere.json')
    expect((await trigger(['user.updated', '--set', 'data.first_name.x=1'])).code).toBe(2)
  })

  it('waits for data that comes late on stdin', async () => {
    const args = ['trigger', 'user.created', '--data', '-', '--print']
    const cli = runCli(args, { cwd: await folder(), input: sleep(2_000, '{"first_name":"Ada"}') })
    expect(await cli).toMatchObject({ code: 0, stdout: expect.stringContaining('"first_name":"Ada"') })
  })

  it('sends duplicates and many at a rate', async () => {
    const twice = jsonLines((await trigger(['user.created', '--json', '--duplicate'])).stdout)
    expect(twice.map(({ status }) => status)).toEqual([200, 200])
    expect((await recorded(twice[0]?.id)).deliveries).toBe(2)

    const startedAt = performance.now()
    const { stdout, stderr } = await trigger(['role.created', '--count', '6', '--rate', '10/s'])
    expect(performance.now() - startedAt).toBeGreaterThan(500)
    expect(stdout.match(/← 200/g)).toHaveLength(6)
    expect(stderr).toBe('6 sent, 0 failed\n')
  })

  it('forges a signature, which is refused as it should be', async () => {
    const { code, stdout } = await trigger(['user.created', '--forge'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('← 400 POST')])
  })

  it('prints a command that a shell can run', async () => {
    const { code, stdout } = await trigger([
      'user.created',
      '--print',
      '--set',
      "data.first_name=O'Hara",
      '--id',
      'msg_curl',
    ])
    expect(code).toBe(0)
    expect((await recorded('msg_curl')).outcome).toBeUndefined()
    // In place of curl, which not every machine has: a program that sends what its arguments say.
    const args = await shellWords(stdout)
    const headers = args.filter((_, index) => args[index - 1] === '-H').map((header) => header.split(': '))
    const [url, body] = [args[2], args.at(-1)] as [string, string]
    const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body })
    expect(response.status).toBe(200)
    expect((await recorded('msg_curl')).body.data.first_name).toBe("O'Hara")
  })

  it('signs with a bound secret for its instance', async () => {
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: `ins_bound:${SECRET}` }
    const args = ['trigger', 'user.created', '--print', '--json']
    const { stdout } = await callCli(args, { cwd: await folder(), env })
    expect(JSON.parse(String(jsonLines(stdout)[0]?.body))).toMatchObject({ instance_id: 'ins_bound' })
  })

  it('needs a secret', async () => {
    const env = { CLERK_WEBHOOK_SIGNING_SECRET: undefined }
    const { code, stderr } = await callCli(['trigger', 'user.created'], { cwd: await folder(), env })
    expect(code).toBe(1)
    expect(stderr).toContain('✗ secret_missing')
  })

  it('names the variables that look as if they held the secret, and no value', async () => {
    const env = {
      CLERK_WEBHOOK_SIGNING_SECRET: undefined,
      NEXT_CLERK_SECRET: SECRET,
      SVIX_KEY: `"${SECRET}"`,
    }
    const { code, stderr } = await callCli(['trigger', 'user.created'], { cwd: await folder(), env })
    expect(code).toBe(1)
    expect(stderr).toContain('NEXT_CLERK_SECRET and SVIX_KEY hold a whsec_ value')
    expect(stderr).not.toContain(SECRET)
  })
})

/** The words of a command line, as a shell reads them. */
async function shellWords(command: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('sh', ['-c', `printf '%s\\0' ${command}`])
  return stdout.split('\0').slice(0, -1)
}

describe('trigger, when the route does not take the event,', () => {
  const folder = temporaryFolder()
  const trigger = async (to: string, ...args: string[]) => {
    const { code, stderr, stdout } = await callCli(
      ['trigger', 'user.created', '--json', '--to', to, ...args],
      {
        cwd: await folder(),
      },
    )
    const [answer] = jsonLines(stdout)
    return {
      code,
      stderr,
      answer: answer as { status: number | null; error?: { code: string; message: string } },
    }
  }
  const withServer = async (listener: RequestListener, ...args: string[]) => {
    const server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const result = await trigger(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, ...args)
    server.close()
    return result
  }

  it.each([
    [404, {}, 'route_not_found'],
    [404, { 'x-clerk-auth-status': 'signed-out' }, 'route_not_found'],
    [404, { 'x-clerk-auth-reason': 'protect-rewrite, token-missing' }, 'route_protected'],
    [401, { 'x-clerk-auth-reason': 'session-token-missing' }, 'route_protected'],
    [307, { location: '/sign-in?redirect_url=x' }, 'route_protected'],
    [308, { location: 'https://www.example.com/hook' }, 'redirected'],
    [401, {}, 'login_wall'],
    [405, {}, 'method_not_allowed_by_route'],
    [422, {}, 'delivery_refused'],
    [500, {}, 'route_failed'],
  ])('explains a %i with %j as %s', async (status, headers, code) => {
    const result = await withServer((_, response) =>
      response.writeHead(status, headers as OutgoingHttpHeaders).end('no'),
    )
    expect([result.code, result.stderr]).toEqual([1, ''])
    expect(result.answer).toMatchObject({ status, error: { code, message: expect.any(String) } })
  })

  it('explains what clerk-sync answered itself', async () => {
    const { answer } = await withServer((_, response) =>
      response.writeHead(503).end('{"error":"database_outdated"}'),
    )
    expect(answer.error).toMatchObject({ code: 'database_outdated', remedy: 'Run `clerk-sync migrate`.' })
  })

  it('explains that nothing listens, or nothing answers', async () => {
    const { code, answer } = await trigger('http://127.0.0.1:1999/hook')
    expect([code, answer.status, answer.error?.code]).toEqual([1, null, 'server_unreachable'])
    const closed = await withServer((request) => request.socket.destroy())
    expect(closed.answer.error?.code).toBe('server_unreachable')
  })

  it('fails when a forgery is accepted', async () => {
    const { code, answer } = await withServer((_, response) => response.end(), '--forge')
    expect([code, answer.error?.code]).toEqual([1, 'forgery_accepted'])
    const missing = await withServer((_, response) => response.writeHead(404).end(), '--forge')
    expect(missing.code).toBe(1)
  })
})
