import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'
import {
  type BackendApi,
  createSimulatedClerk,
  type SimulatedClerk,
  startBackendApi,
} from '../../src/testing/index.ts'
import { CliProcess, jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, embeddedDatabase, postgresDatabase, SECRET } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { serveHttp } from '../support/http.ts'
import { describeOnTerminal, Terminal } from '../support/terminal.ts'

const OTHER_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'

interface Result {
  readonly type: string
  readonly group: string
  readonly check: string
  readonly status: string
  readonly code: string | null
  readonly message: string
  readonly remedy?: string
}

interface Patient {
  readonly files?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly env?: Record<string, string | undefined>
}

const root = temporaryFolder()
let folders = 0

async function newFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const cwd = join(await root(), String(folders++))
  await mkdir(cwd)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(cwd, name, '..'), { recursive: true })
    await writeFile(join(cwd, name), text)
  }
  return cwd
}

/** What the doctor finds, without asking anybody for the time. */
async function examine({ files, args = [], env }: Patient = {}) {
  const cwd = await newFolder(files)
  const { code, stdout } = await runCli(['doctor', '--json', '--offline', ...args], {
    cwd,
    ...(env && { env }),
  })
  const lines = jsonLines(stdout) as unknown as Result[]
  const results = lines.filter(({ type }) => type === 'result')
  return { code, results, summary: lines.at(-1), codes: results.flatMap((each) => each.code ?? []) }
}

const NO_DATABASE = ['embedded_missing']

describe('the doctor on the configuration', () => {
  it.each<[what: string, codes: string[], patient: Patient]>([
    ['nothing but a secret', [], {}],
    ['no secret', ['secret_missing'], { env: { CLERK_WEBHOOK_SIGNING_SECRET: undefined } }],
    [
      'a secret under a name that is not read',
      ['secret_missing', 'secret_elsewhere'],
      { env: { CLERK_WEBHOOK_SIGNING_SECRET: undefined, CLERK_SIGNING_SECRET: SECRET } },
    ],
    [
      'the API key for a secret',
      ['secret_is_api_key'],
      { env: { CLERK_WEBHOOK_SIGNING_SECRET: 'sk_test_abcdefghijklmnop' } },
    ],
    ['a secret in quotes', ['secret_quoted'], { env: { CLERK_WEBHOOK_SIGNING_SECRET: `"${SECRET}"` } }],
    [
      'white space around the secret',
      ['secret_odd'],
      { env: { CLERK_WEBHOOK_SIGNING_SECRET: `${SECRET} ` } },
    ],
    [
      'the secret under its old name',
      ['secret_old_name'],
      { env: { CLERK_WEBHOOK_SIGNING_SECRET: '', CLERK_WEBHOOK_SECRET: SECRET } },
    ],
    ['another secret in another variable', ['secret_elsewhere'], { env: { MY_WEBHOOK: OTHER_SECRET } }],
    [
      'another secret in another file',
      ['secret_elsewhere'],
      { files: { '.env.production': `CLERK_WEBHOOK_SECRET="${OTHER_SECRET}"`, '.env.example': 'A=whsec_' } },
    ],
    [
      'an option twice',
      ['option_twice'],
      {
        files: { 'clerk-sync.config.mjs': 'export default { schema: "a" }' },
        env: { CLERK_SYNC_SCHEMA: 'b' },
      },
    ],
    [
      'a configuration file that throws',
      ['config_unloadable'],
      { files: { 'clerk-sync.config.mjs': 'throw 1' } },
    ],
    [
      'an option that is wrong',
      ['option_invalid'],
      { files: { 'clerk-sync.config.mjs': 'export default { schema: "" }' } },
    ],
    [
      'a Next.js app without a route',
      ['route_file_missing'],
      { files: { 'package.json': '{"dependencies":{"next":"16"}}' } },
    ],
    [
      'a route on the edge',
      ['edge_runtime'],
      {
        files: {
          'package.json': '{"dependencies":{"next":"16"}}',
          'src/app/hook/route.ts': "export { POST } from 'clerk-sync/next'\nexport const runtime = 'edge'",
        },
      },
    ],
    [
      'a route of Next.js',
      [],
      {
        files: {
          'package.json': '{"dependencies":{"next":"16"}}',
          'app/hook/route.ts': "export { POST } from 'clerk-sync/next'",
        },
      },
    ],
  ])('finds %s: %j', async (_, codes, patient) => {
    const { codes: found, code, results } = await examine(patient)
    expect(new Set(found)).toEqual(new Set([...codes, ...NO_DATABASE]))
    expect(code).toBe(3)
    expect(results.filter(({ status }) => status !== 'passed').every(({ remedy }) => remedy)).toBe(true)
  })
})

describe('the doctor on the clock', () => {
  it('compares it with Clerk’s', async () => {
    const clerkAt = (time: number) =>
      serveHttp((_, response) => void response.writeHead(204, { date: new Date(time).toUTCString() }).end())
    const codesAt = async (time: number) => {
      const cwd = await newFolder()
      const env = { CLERK_API_URL: await clerkAt(time) }
      const { stdout } = await runCli(['doctor', '--json'], { cwd, env })
      return (jsonLines(stdout) as unknown as Result[])
        .filter(({ group }) => group === 'clock')
        .map(({ code }) => code)
    }
    expect(await codesAt(Date.now())).toEqual([null])
    expect(await codesAt(Date.now() - 3_600_000)).toEqual(['clock_skewed'])
  })
})

describe('the doctor on an embedded database', () => {
  const database = embeddedDatabase()

  it('leaves it to the server that has it, and tries the server’s route', async () => {
    const sync = await database.open()
    const server = await startServer({ sync, port: 0 })
    const { database: folder } = await database.location()
    const url = `http://127.0.0.1:${server.port}/api/webhooks/clerk`
    const { code, codes, results, summary } = await examine({ args: ['--database', folder, '--url', url] })
    expect(codes).toEqual(['embedded_locked'])
    expect(results.find(({ group }) => group === 'route')).toMatchObject({ status: 'passed' })
    expect([code, summary]).toMatchObject([0, { type: 'summary', problems: 0, warnings: 1 }])
    await server.stop()
  })
})

describeWithPostgres('the doctor on Postgres', (url) => {
  const database = postgresDatabase(url)
  const role = `doctor_${process.pid}`
  let sync: ClerkSync
  let schema: string

  beforeAll(async () => {
    sync = await database.open()
    schema = (await database.location()).schema
    await query(`create role ${role} login password 'x'`)
  })
  afterAll(() => query(`drop role ${role}`))

  async function query(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(text).finally(() => client.end())
  }

  const at = (changes: Partial<Pick<URL, 'username' | 'password' | 'pathname' | 'search'>>) =>
    Object.assign(new URL(url), changes).href
  const examineAt = (address: string, name = schema, more: readonly string[] = []) =>
    examine({ args: ['--database', address, '--schema', name, ...more] })

  it.each<[what: string, code: string, address: string]>([
    ['a port where nothing listens', 'database_refused', 'postgres://127.0.0.1:1/x'],
    ['a host that is not there', 'database_host_unknown', 'postgres://db.invalid/x'],
    ['an address without a way to it', 'database_unreachable', 'postgres://255.255.255.255/x'],
    ['a user that is not there', 'database_login_failed', at({ username: 'nobody_here' })],
    ['a database that is not there', 'database_absent', at({ pathname: '/nowhere_here' })],
    ['TLS that the server does not have', 'database_tls_required', at({ search: '?sslmode=require' })],
  ])('finds %s: %s', async (_, code, address) => {
    const { codes, results, code: exit } = await examineAt(address)
    expect([codes, exit]).toEqual([[code], 3])
    expect(results.filter(({ group }) => group === 'traffic')).toEqual([])
  })

  it('finds a user who may not read, and prints the grant', async () => {
    const address = at({ username: role, password: 'x' })
    const { codes, results } = await examineAt(address)
    expect(codes).toEqual(['database_denied'])
    expect(results.find(({ code }) => code === 'database_denied')?.remedy).toContain(
      `grant usage, create on schema "${schema}" to "${role}";`,
    )
  })

  it('finds a certificate that is missing', async () => {
    const { codes, results } = await examineAt(at({ search: '?sslmode=verify-full&sslrootcert=/nope.pem' }))
    expect(codes).toEqual(['database_certificate_missing'])
    expect(results.find(({ code }) => code)?.message).toContain('/nope.pem')
  })

  it.each([
    '?channel_binding=prefer',
    '?schema=public&pgbouncer=true&connection_limit=1',
    '?sslmode=disable&channel_binding=require',
  ])('can read the address with %s', async (search) => {
    expect((await examineAt(at({ search }))).codes).toEqual(['no_events'])
  })

  it('reads sslrootcert=system as the certificates of the system', async () => {
    const { codes } = await examineAt(at({ search: '?sslmode=verify-full&sslrootcert=system' }))
    // The server of the tests has no TLS: it was asked for it, and no file was looked for.
    expect(codes).toEqual(['database_tls_required'])
  })

  it('needs no right to create a schema that exists', async () => {
    const name = `${schema}_given`
    const args = ['migrate', '--database', at({ username: role, password: 'x' }), '--schema', name]
    const refused = await runCli(args, { cwd: await newFolder() })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('database_denied') })
    expect(refused.stderr.replace(/\s+/g, ' ')).toMatch(
      new RegExp(
        `create schema "${name}" authorization "${role}"; or: grant create on database "\\w+" to "${role}"`,
      ),
    )
    await query(`create schema "${name}" authorization ${role}`)
    expect(await runCli(args, { cwd: await newFolder() })).toMatchObject({ code: 0 })
    await query(`drop schema "${name}" cascade`)
  })

  it('finds tables that are missing, and creates none', async () => {
    const { codes } = await examineAt(url, `${schema}_absent`)
    expect(codes).toEqual(['database_outdated'])
    expect((await examineAt(url, `${schema}_absent`)).codes).toEqual(['database_outdated'])
  })

  it('finds that nothing arrives, or no longer', async () => {
    expect((await examineAt(url)).codes).toEqual(['no_events'])
    await deliver(sync, eventOf('user.created'))
    await sync.database
      .updateTable('events')
      .set({ received_at: new Date(Date.now() - 8 * 86_400_000) } as never)
      .execute()
    expect((await examineAt(url)).codes).toEqual(['maintenance_overdue', 'no_recent_events'])
    await sync.database.deleteFrom('events').execute()
  })

  it('finds that maintenance never runs', async () => {
    await deliver(sync, eventOf('user.created'))
    await sync.database
      .updateTable('events')
      .set({ received_at: new Date(Date.now() - 3 * 86_400_000) } as never)
      .execute()
    expect((await examineAt(url)).codes).toContain('maintenance_overdue')
    await sync.maintain()
    expect((await examineAt(url)).codes).not.toContain('maintenance_overdue')
    await sync.database.deleteFrom('events').execute()
  })

  it('finds that events come twice, and that none was applied twice', async () => {
    for (let index = 0; index < 6; index++) {
      const id = `msg_twice${index}`
      await deliver(sync, eventOf('user.created', { id: `user_${index}` }), { id })
      if (index < 5) await deliver(sync, eventOf('user.created', { id: `user_${index}` }), { id })
    }
    const { codes, results, code } = await examineAt(url)
    expect([codes, code]).toEqual([['delivered_twice'], 0])
    expect(results.map(({ message }) => message).join()).toContain('each was applied once: 5 of 6')
    await sync.database.updateTable('events').set({ deliveries: 1 }).execute()
    expect((await examineAt(url)).results.map(({ message }) => message)).toContain(
      '0 redeliveries, none applied twice.',
    )
  })

  it('names the instances where several are applied in one schema without a word about it', async () => {
    const event = { ...eventOf('user.created', { id: 'user_mixed' }), instance_id: 'ins_staging' }
    await deliver(sync, event, { id: 'msg_mixed' })
    const mixed = (await examineAt(url)).results.find(({ code }) => code === 'instances_mixed')
    expect(mixed).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/in this schema: ins_\w+ and ins_staging/),
      remedy: expect.stringContaining('CLERK_SYNC_SCHEMA'),
    })
    await sync.database.deleteFrom('events').where('id', '=', 'msg_mixed').execute()
  })

  it('finds what could not be applied, what was refused, and which handlers are dead or slow', async () => {
    const ids = await sync.database.selectFrom('events').select('id').execute()
    const [failed, parked, foreign, conflict] = ids.map(({ id }) => id)
    const change = (id: string | undefined, values: object) =>
      sync.database
        .updateTable('events')
        .set(values as never)
        .where('id', '=', id as string)
        .execute()
    await change(failed, { outcome: 'failed', reason: 'rejected_by_database' })
    await change(parked, { outcome: 'parked', reason: 'unknown_type' })
    await change(foreign, { outcome: 'parked', reason: 'instance_mismatch' })
    await change(conflict, { body_conflict: true })
    const now = new Date()
    await sync.database
      .insertInto('refusals')
      .values({ minute: now, code: 'signature_mismatch', requests: 214, last_at: now, message: 'x' })
      .execute()
    const run = {
      event_id: failed as string,
      occurred_at: now,
      due_at: now,
      claim: null,
      worker: null,
      order_key: null,
      error: null,
      fingerprint: null,
      history: null,
      note: null,
    }
    const slow = {
      ...run,
      status: 'succeeded',
      started_at: new Date(now.getTime() - 12_000),
      finished_at: now,
    } as const
    await sync.database
      .insertInto('handler_runs')
      .values([
        { ...run, handler: 'welcome', status: 'dead', started_at: now, finished_at: now },
        { ...slow, handler: 'crm' },
      ])
      .execute()
    const { codes, results, code } = await examineAt(url)
    expect(codes).toEqual([
      'bodies_conflict',
      'events_failed',
      'events_parked',
      'events_of_other_instance',
      'deliveries_refused',
      'handler_slow',
      'runs_dead',
    ])
    expect(code).toBe(3)
    expect(results.find((each) => each.code === 'deliveries_refused')).toMatchObject({
      message: expect.stringContaining('214 with signature_mismatch'),
      remedy: expect.stringContaining('explain signature_mismatch'),
    })
  })

  it('finds handlers that were begun again after their process was lost', async () => {
    const now = new Date()
    const failure = { at: now.toISOString(), error: 'x' }
    const runOf = (handler: string, attempts: number, history: object[] | null) => ({
      event_id: 'msg_twice0',
      handler,
      status: 'succeeded' as const,
      attempts,
      history: history && JSON.stringify(history),
      occurred_at: now,
      due_at: now,
      started_at: now,
      finished_at: now,
    })
    await sync.database
      .insertInto('handler_runs')
      .values([runOf('lost', 2, null), runOf('retried', 2, [failure])] as never)
      .execute()
    const { results } = await examineAt(url)
    const twice = results.filter(({ code }) => code === 'handled_twice')
    expect(twice).toMatchObject([{ status: 'warning', message: expect.stringContaining('1 of lost') }])
    await sync.database.deleteFrom('handler_runs').where('handler', 'in', ['lost', 'retried']).execute()
  })

  it('finds handlers of the configuration that have no run for their events, and says why', async () => {
    const other = await postgresDatabase(url).open()
    for (const id of ['user_1', 'user_2'])
      await deliver(other, eventOf('user.created', { id }), { id: `msg_${id}` })
    const args = ['--config', join(import.meta.dirname, 'handlers-config.ts')]
    const examineHandlers = async () => {
      const { results } = await examineAt(url, other.location.schema, args)
      return results.filter(({ check }) => check === 'handlers of the configuration')
    }
    const code = 'handler_without_runs'
    const unknown = await examineHandlers()
    expect(unknown).toMatchObject([
      { code, message: expect.stringContaining(': shelve, with 2 events of user.created in the last') },
      { code, message: expect.stringContaining(': greet, with 2 events of user.* in the last') },
    ])
    expect(unknown[0]?.remedy).toContain('create the sync of its route from this configuration')

    const run = { event_id: 'msg_user_1', handler: 'shelve', occurred_at: new Date(), due_at: new Date() }
    await other.database
      .insertInto('handler_runs')
      .values(run as never)
      .execute()
    expect(await examineHandlers()).toMatchObject([
      { status: 'passed', message: expect.stringContaining('shelve has runs for 1 of 2 events') },
      { status: 'problem', code, remedy: expect.stringContaining('deploy this one') },
    ])
  })

  it('does nothing with --fix where nobody can be asked', async () => {
    const finished = await runCli(['doctor', '--fix', '--database', url], { cwd: await newFolder() })
    expect(finished).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--fix asks') })
  })

  it('looks again with --watch, and tells only what is new', async () => {
    const fresh = `${schema}_watched`
    const args = ['--json', '--offline', '--database', url, '--schema', fresh]
    const cli = new CliProcess(['doctor', '--watch', ...args], { cwd: await newFolder() })
    await cli.until(/"code":"database_outdated"[\s\S]*"type":"summary"/)
    expect(
      (await runCli(['migrate', '--database', url, '--schema', fresh], { cwd: await root() })).code,
    ).toBe(0)
    await cli.until(/"code":"no_events"/)
    const { code, stdout } = await cli.stop('SIGINT')
    expect(code).toBe(0)
    expect(jsonLines(stdout).filter(({ type }) => type === 'summary')).toHaveLength(2)
    await query(`drop schema "${fresh}" cascade`)
  })

  it('says it to people too, and only what is wrong if that is asked for', async () => {
    const cwd = await newFolder()
    const args = ['doctor', '--offline', '--database', url, '--schema', schema]
    const all = await runCli(args, { cwd })
    expect(all.stdout).toMatch(/^Configuration\n {2}✓ Node /)
    expect(all.stdout).toMatch(/^ {2}✗ events_failed {2}.+\n {4}Fix {2}/m)
    expect(all.stderr).toMatch(/2 problems · 5 warnings · \d+ passed/)
    const problems = await runCli([...args, '--only-problems'], { cwd })
    expect(problems.stdout).not.toContain('✓')
    expect(problems.stdout).toContain('✗ events_failed')
  })
})

describeWithPostgres('the doctor on Clerk', (url) => {
  const database = postgresDatabase(url)
  const HALF_AN_HOUR = 30 * 60_000
  let clerk: SimulatedClerk
  let api: BackendApi
  let sync: ClerkSync

  beforeAll(async () => {
    clerk = createSimulatedClerk({ startAt: Date.now() - HALF_AN_HOUR })
    api = await startBackendApi(clerk, { rateLimit: null })
    sync = await database.open({ secretKey: api.secretKey, apiUrl: api.url })
  })
  afterAll(() => api.close())

  const environment = async () => ({
    DATABASE_URL: url,
    CLERK_SYNC_SCHEMA: (await database.location()).schema,
    CLERK_API_URL: api.url,
    CLERK_SECRET_KEY: api.secretKey,
  })

  /** What it finds, but for the clock, which the simulated Clerk does not keep. */
  async function examineClerk(env: object = {}, args: readonly string[] = []): Promise<Result[]> {
    const cwd = await newFolder()
    const { stdout } = await runCli(['doctor', '--json', ...args], {
      cwd,
      env: { ...(await environment()), ...env },
    })
    const results = (jsonLines(stdout) as unknown as Result[]).filter(({ type }) => type === 'result')
    return results.filter(({ group }) => group === 'clerk' || group === 'traffic')
  }
  const codesOf = (results: readonly Result[]) => results.flatMap(({ code }) => code ?? [])

  it('is content with a key that is good, and with none', async () => {
    const results = (await examineClerk()).filter(({ check }) => check !== 'coverage')
    expect(results).toMatchObject([
      { status: 'passed', message: expect.stringContaining(clerk.instanceId) },
      {
        status: 'passed',
        message: expect.stringMatching(/^https:\/\/app.example.com\S+ receives the event types/),
      },
      {},
    ])
    const [without] = await examineClerk({ CLERK_SECRET_KEY: undefined })
    expect(without).toMatchObject({
      status: 'passed',
      message: expect.stringContaining('CLERK_SECRET_KEY is not set'),
    })
  })

  it('points at the key of an app that nobody has claimed', async () => {
    const cwd = await newFolder({ '.clerk/.tmp/keyless.json': '{"secretKey":"sk_test_x"}' })
    const { stdout } = await runCli(['doctor', '--offline'], { cwd })
    expect(stdout).toContain('.clerk/.tmp/keyless.json')
    expect(stdout).not.toContain('sk_test_x')
  })

  it.each([
    ['a key that is not accepted', 'api_key_refused', { CLERK_SECRET_KEY: 'sk_test_revoked' }],
    ['a key of another instance', 'api_wrong_instance', { CLERK_INSTANCE_ID: 'ins_of_production' }],
    ['an API that is not there', 'api_unavailable', { CLERK_API_URL: 'http://127.0.0.1:9' }],
  ])('finds %s', async (_, code, env) => {
    expect((await examineClerk(env))[0]).toMatchObject({ group: 'clerk', status: 'problem', code })
  })

  it.each([
    ['throttled', 'api_throttled'],
    ['server_error', 'api_unavailable'],
  ] as const)('finds at once that it is %s', async (fault, code) => {
    api.failNext(fault, { path: '/instance' })
    expect((await examineClerk())[0]).toMatchObject({ status: 'problem', code })
  })

  const missingIn = (results: readonly Result[]) =>
    results
      .filter(({ code }) => code === 'event_types_missing')
      .map(({ message }) => message.slice(message.indexOf(': ') + 2))
  const ENDPOINT = 'https://app.example.com/api/webhooks/clerk'
  const endpointOf = (more: object = {}) => [
    { url: `${ENDPOINT}?x-vercel-protection-bypass=opensesame`, ...more },
  ]

  const resetEndpoints = () => {
    api.webhookEndpoints = endpointOf()
  }

  it('names exactly the event types that are not selected', async () => {
    onTestFinished(resetEndpoints)
    api.webhookEndpoints = endpointOf({ filterTypes: ['user.created'] })
    const results = await examineClerk()
    expect(missingIn(results)).toEqual([
      'users need event types that the endpoint does not send: user.updated, user.deleted.',
    ])
    expect(JSON.stringify(results)).not.toContain('opensesame')
    // Nobody uses organizations here, so that nothing is missed.
    api.webhookEndpoints = endpointOf({ filterTypes: ['user.created', 'user.updated', 'user.deleted'] })
    const [, content] = await examineClerk()
    expect(content).toMatchObject({
      status: 'passed',
      message: expect.stringMatching(
        /receives the event types.*Not selected, and not needed: organization.created, /,
      ),
    })
    // Two endpoints together are enough; one that is disabled is none.
    const rest = { url: `${ENDPOINT}/2`, filterTypes: ['user.updated', 'user.deleted'] }
    api.webhookEndpoints = [...endpointOf({ filterTypes: ['user.created'] }), rest]
    expect(codesOf(await examineClerk())).not.toContain('event_types_missing')
    api.webhookEndpoints = [...endpointOf({ filterTypes: ['user.created'] }), { ...rest, disabled: true }]
    expect(codesOf(await examineClerk())).toContain('event_types_missing')
  })

  it('finds an endpoint that is disabled, with what it takes to make up for it', async () => {
    onTestFinished(resetEndpoints)
    api.webhookEndpoints = endpointOf({ disabled: true })
    const [, disabled] = await examineClerk()
    expect(disabled).toMatchObject({ status: 'problem', code: 'endpoint_disabled' })
    for (const words of [
      'doctor --portal',
      'clerk-sync reconcile',
      'Replay missing messages',
      'handlers run for each',
    ])
      expect(disabled?.remedy).toContain(words)
    api.webhookEndpoints = []
    expect(codesOf(await examineClerk())).toContain('endpoint_missing')
  })

  it('looks at the endpoint with the address that it is given', async () => {
    onTestFinished(resetEndpoints)
    api.webhookEndpoints = [...endpointOf(), { url: 'https://other.example.com/hook', disabled: true }]
    const at = async (url: string) => (await examineClerk({}, ['--url', url, '--timeout', '1s']))[1]
    expect(await at(ENDPOINT)).toMatchObject({ status: 'passed' })
    expect(await at('https://other.example.com/hook')).toMatchObject({ code: 'endpoint_disabled' })
    expect(await at('https://third.example.com/hook')).toMatchObject({
      code: 'endpoint_missing',
      message: expect.stringContaining('https://other.example.com/hook has this address'),
    })
    expect(await at('http://localhost:9/hook')).toMatchObject({ status: 'passed' })
  })

  it('prints a link to the webhooks where it is asked for, and nowhere else', async () => {
    const cwd = await newFolder()
    const env = await environment()
    const { stdout, stderr } = await runCli(['doctor', '--portal', '--json'], { cwd, env })
    const { url: link } = jsonLines(stdout).find(({ type }) => type === 'portal') as unknown as {
      url: string
    }
    expect(link).toMatch(/\/login#key=\w/)
    expect(stderr).not.toContain('#key=')
    expect(stdout.match(/#key=/g)).toHaveLength(1)
    // It is good for one login.
    const key = new URLSearchParams(new URL(link).hash.slice(1)).get('key') as string
    const login = () =>
      fetch(`${api.url}/api/us/api/v1/auth/one-time-token`, {
        method: 'POST',
        body: Buffer.from(key, 'base64'),
      })
    expect([(await login()).status, (await login()).status]).toEqual([200, 401])
    expect((await runCli(['doctor', '--json'], { cwd, env })).stdout).not.toContain('#key=')
    const without = await runCli(['doctor', '--portal'], {
      cwd,
      env: { ...env, CLERK_SECRET_KEY: undefined },
    })
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('api_key_missing')])
  })

  /** Svix does not say what is ticked. */
  async function examineArrivals(): Promise<Result[]> {
    api.failNext('server_error', { path: '/webhooks/svix_url' })
    return examineClerk()
  }

  /** By the simulated Clerk's clock, which stands still while the other tests take their time. */
  const dateEvents = () =>
    sync.database
      .updateTable('events')
      .set({ received_at: new Date(clerk.now - 1) } as never)
      .execute()

  it('concludes from what arrived which types are missing, where Svix does not say', async () => {
    const [user] = clerk.act('createUser')
    await deliver(sync, user)
    await dateEvents()
    expect(codesOf(await examineArrivals())).toEqual(['endpoint_unread'])
    const events = clerk.act('createOrganization')
    expect(missingIn(await examineArrivals())).toEqual([
      'Clerk has 1 organization since the first event, but no event for them has arrived: organization.created, organization.updated, organization.deleted.',
      expect.stringContaining('organizationMembership.created, organizationMembership.updated'),
    ])
    for (const event of events) await deliver(sync, event)
    expect(codesOf(await examineArrivals())).toEqual(['endpoint_unread'])
  })

  it('says what no reconcile covers', async () => {
    const covered = (await examineClerk()).filter(({ check }) => check === 'coverage')
    expect(covered).toEqual([
      expect.objectContaining({
        status: 'passed',
        message: expect.stringMatching(/subscriptions.*items differed/),
      }),
      expect.objectContaining({
        status: 'passed',
        message: expect.stringMatching(/sessions, .*only if named/),
      }),
      expect.objectContaining({
        status: 'passed',
        message: expect.stringMatching(/emails, sms_messages: .*only events bring them/),
      }),
    ])
  })

  it('concludes from a reconcile that only user.created is ticked', async () => {
    await sync.reconcile({ full: true })
    clerk.act('updateUser')
    await sync.reconcile({ full: true })
    expect(missingIn(await examineArrivals())).toEqual([
      '1 user was changed in Clerk without an event: user.updated.',
    ])
    for (const event of clerk.act('updateUser')) await deliver(sync, event)
    expect(missingIn(await examineArrivals())).toEqual([])
    clerk.act('deleteUser')
    await sync.reconcile({ full: true })
    expect(missingIn(await examineArrivals())).toEqual([
      expect.stringContaining('1 user was deleted in Clerk without an event: user.deleted.'),
    ])
    await sync.database.deleteFrom('jobs').execute()
  })

  it('finds that deliveries have stopped while Clerk went on, and what that means after days', async () => {
    await dateEvents()
    clerk.act('createUser')
    const stopped = (await examineArrivals()).find(({ code }) => code === 'deliveries_stopped')
    expect(stopped).toMatchObject({
      status: 'problem',
      message: expect.stringContaining(': 1 user, since the last'),
    })
    await sync.database
      .updateTable('events')
      .set({ received_at: new Date(Date.now() - 6 * 86_400_000) } as never)
      .execute()
    const results = await examineArrivals()
    expect(results.find(({ code }) => code === 'deliveries_stopped')?.remedy).toMatch(
      /has probably disabled this one/,
    )
    // Svix knows better.
    const enabled = (await examineClerk()).find(({ code }) => code === 'deliveries_stopped')
    expect(enabled?.remedy).toMatch(/^Deliveries fail or are not sent/)
    await sync.reconcile({ full: true })
    await sync.database.deleteFrom('jobs').execute()
  })

  /** By hand, some time before Clerk is asked. */
  async function editUser(): Promise<void> {
    await sync.database.updateTable('users').set({ first_name: 'Edited' }).execute()
    clerk.advanceTo(Date.now())
  }

  it('finds what the last comparison has found, and whether it was repaired', async () => {
    await sync.reconcile()
    await sync.reconcile({ full: true })
    expect((await examineClerk()).at(-1)?.message).toMatch(/^No row differed from Clerk/)
    await editUser()
    await sync.reconcile({ dryRun: true, full: true })
    expect((await examineClerk()).at(-1)).toMatchObject({
      code: 'drift',
      message: expect.stringContaining('not repaired'),
      fix: 'Repair the rows that differ from Clerk',
    })
    await sync.reconcile({ full: true })
    expect((await examineClerk()).at(-1)).toMatchObject({
      code: 'drift',
      message: expect.stringContaining('were repaired'),
    })
  })

  describeOnTerminal('with somebody who answers', () => {
    it('repairs what it may repair, and looks again', async () => {
      await editUser()
      await sync.reconcile({ dryRun: true, full: true })
      const env = await environment()
      const terminal = new Terminal(['doctor', '--fix'], { cwd: await newFolder(), env })
      await terminal.until(/Repair the rows that differ from Clerk\. Do it\?/)
      terminal.press('y')
      expect(await terminal.ended).toMatchObject({ state: 'usual' })
      // Without blanks: the terminal breaks long lines anywhere.
      const shown = terminal.scrollback.join('').replaceAll(' ', '')
      expect(shown).toMatch(/notrepaired.*1wererepaired/)
      const names = await sync.database.selectFrom('users_live').select('first_name').execute()
      expect(names).not.toContainEqual({ first_name: 'Edited' })
    })

    it('changes nothing when the answer is no', async () => {
      const env = { ...(await environment()), CLERK_SYNC_SCHEMA: 'nothing_here' }
      const terminal = new Terminal(['doctor', '--fix', '--offline'], { cwd: await newFolder(), env })
      await terminal.until(/Run the pending migrations on .*\. Do it\?/)
      terminal.press('n')
      expect(await terminal.ended).toMatchObject({ code: 3, state: 'usual' })
      expect((await examineClerk({ CLERK_SYNC_SCHEMA: 'nothing_here' })).at(-1)?.group).toBe('clerk')
    })
  })
})
