import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'

describeWithPostgres('backfill and reconcile', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  const clerk = createSimulatedClerk({ seed: 21 })
  let api: BackendApi
  beforeAll(async () => {
    for (let action = 0; action < 60; action++) clerk.act()
    api = await startBackendApi(clerk)
    await database.open()
  })
  afterAll(() => api.close())

  const run = async (args: readonly string[], env: Record<string, string | undefined> = {}) => {
    const { schema } = await database.location()
    const variables = {
      DATABASE_URL: url,
      CLERK_SYNC_SCHEMA: schema,
      CLERK_WEBHOOK_SIGNING_SECRET: undefined,
    }
    const result = await callCli(args, {
      cwd: await folder(),
      env: { ...variables, CLERK_SECRET_KEY: api.secretKey, CLERK_API_URL: api.url, ...env },
    })
    expect(result.stdout + result.stderr).not.toContain(api.secretKey)
    return result
  }

  it('says what would be written, writes it, and says that it is complete', async () => {
    const dry = await run(['backfill', 'users', '--dry-run'])
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing was written.') })
    expect(dry.stdout).toMatch(/users +complete/)
    const { code, stdout } = await run(['backfill', '--json'])
    expect(code).toBe(0)
    const [record] = jsonLines(stdout)
    const users = clerk.resources('users').size
    expect(record).toMatchObject({
      type: 'backfill',
      status: 'complete',
      resources: { users: { status: 'complete', expected: users, written: users, failed: 0 } },
    })
  })

  it('reports drift with exit code 3, repairs it, and finds nothing then', async () => {
    clerk.act('updateUser')
    clerk.advanceTo(clerk.now + 5_000)
    const report = await run(['reconcile', '--dry-run', 'users'])
    expect(report.code).toBe(3)
    expect(report.stdout).toMatch(/1 rows? differed/)
    expect(report.stdout).toMatch(/users +1 stale +1 no event arrived/)
    const repaired = await run(['reconcile'])
    expect(repaired.code).toBe(0)
    expect(repaired.stdout).toMatch(
      /Not covered:[\s\S]*sessions.*only if named[\s\S]*emails, sms_messages: .*only events/,
    )
    expect(report.stdout).not.toContain('Not covered')
    const clean = await run(['reconcile', '--dry-run'])
    expect([clean.code, clean.stdout]).toEqual([0, expect.stringContaining('The tables match Clerk')])
    const [record] = jsonLines((await run(['reconcile', '--json'])).stdout)
    expect(record?.unread).toEqual([
      { resource: 'sessions', reason: 'on_request' },
      { resource: 'emails', reason: 'not_listed' },
      { resource: 'sms_messages', reason: 'not_listed' },
      { resource: 'subscriptions', reason: 'where_items_differ' },
      { resource: 'credit_balances', reason: 'on_request' },
      { resource: 'm2m_tokens', reason: 'on_request' },
      { resource: 'api_keys', reason: 'on_request' },
      { resource: 'trusted_devices', reason: 'on_request' },
    ])
  })

  it('is not complete when Clerk cannot be read, and says so with exit code 3', async () => {
    api.failNext('html_page', { path: '/organizations', times: 50 })
    const { code, stdout, stderr } = await run(['backfill', 'organizations', '--restart'])
    expect(code).toBe(3)
    expect(stdout).toMatch(/organizations +failed/)
    expect(stderr).toContain('Run the command again')
  })

  it('refuses a resource that Clerk does not list, and a missing key', async () => {
    const unknown = await run(['backfill', 'user'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Did you mean users?')])
    const keyless = await run(['backfill'], { CLERK_SECRET_KEY: '' })
    expect([keyless.code, keyless.stderr]).toEqual([1, expect.stringContaining('api_key_missing')])
  })
})
