import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { ask } from '../dashboard/client.ts'
import { CliProcess, callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

describeWithPostgres('status', (url) => {
  const database = postgresDatabase(url)
  const cwd = temporaryFolder()
  const environment = async () => {
    const { schema } = await database.location()
    return { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema }
  }
  const status = async (...args: string[]) =>
    callCli(['status', ...args], { cwd: await cwd(), env: await environment() })

  it('says the sentence of the dashboard: that nothing came yet, that all is well, and what is wrong', async () => {
    const missing = await status('--json')
    expect([missing.code, jsonLines(missing.stdout)]).toMatchObject([1, [{ status: { state: 'down' } }]])

    const sync = await database.open()
    const empty = await status()
    expect([empty.code, empty.stdout]).toEqual([0, expect.stringContaining('no events received yet')])

    await deliver(sync, eventOf('user.created', { id: 'user_status' }), { id: 'msg_status' })
    const healthy = await status('--json')
    const overview = await ask(createDashboardHandler(sync), 'GET overview')
    expect([healthy.code, jsonLines(healthy.stdout)]).toMatchObject([
      0,
      [{ status: { state: 'healthy', data: overview.status.data } }],
    ])

    await sync.database.updateTable('events').set({ outcome: 'failed' }).execute()
    const degraded = await status()
    expect([degraded.code, degraded.stdout]).toEqual([
      3,
      expect.stringMatching(/^. Degraded: 1 event has been rejected by the database since \d\d:\d\d UTC\.\n/),
    ])
    const { sentence } = (await ask(createDashboardHandler(sync), 'GET overview')).status
    expect(degraded.stdout).toContain(sentence)
  })

  it('names both instances where a secret signed for the wrong one', async () => {
    const sync = await database.open()
    await sync.database.updateTable('events').set({ outcome: 'applied' }).execute()
    const refusing = await database.open({
      signingSecret: [{ secret: SECRET, instanceId: 'ins_development' }],
    })
    const event = { ...eventOf('user.created', { id: 'user_crossed' }), instance_id: 'ins_production' }
    const { headers, body } = sign(event)
    await refusing.fetch(new Request('http://localhost/', { method: 'POST', headers, body }))
    await refusing.close()
    const { code, stdout } = await status()
    expect(code).toBe(3)
    expect(stdout).toMatch(
      /1 event was refused since .*: the secret of ins_development signed an event of ins_production\.\n/,
    )
    expect(stdout).toContain('correct what the secret is bound to')
    const { stdout: report } = await callCli(['doctor', '--json', '--offline'], {
      cwd: await cwd(),
      env: await environment(),
    })
    expect(jsonLines(report).find(({ code: each }) => each === 'instances_crossed')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining(
        'the secret of ins_development signed an event of ins_production, 1 in the last 24 hours',
      ),
      remedy: expect.stringContaining('CLERK_WEBHOOK_SIGNING_SECRET'),
    })
    await sync.database.deleteFrom('refusals').execute()
    await sync.database.updateTable('events').set({ outcome: 'failed' }).execute()
  })

  it('tells how far the database is, and warns of one that is far away', async () => {
    const proxy = await TcpProxy.to(new URL(url))
    const far = async (...args: string[]) =>
      callCli(args, {
        cwd: await cwd(),
        env: { ...(await environment()), DATABASE_URL: proxy.url(new URL(url)) },
      })
    const [near] = jsonLines((await status('--json')).stdout)
    proxy.delayMs = 25
    const [slow] = jsonLines((await far('status', '--json')).stdout)
    expect(slow?.roundTripMs).toBeGreaterThan(24)
    expect(near?.roundTripMs).toEqual(expect.any(Number))
    expect((await far('status')).stdout).toMatch(/round trip +\d+ ms to the database – far: every delivery/)
    const { stdout } = await far('doctor', '--json', '--offline')
    expect(jsonLines(stdout).find(({ code }) => code === 'database_far')).toMatchObject({
      status: 'warning',
      roundTripMs: expect.any(Number),
      message: expect.stringMatching(/so each delivery spends \d+ ms on the network/),
      remedy: expect.stringContaining('region'),
    })
    await proxy.close()
  })

  it('says it again when it changes, until it is interrupted', async () => {
    const sync = await database.open()
    const watching = new CliProcess(['status', '--watch'], { cwd: await cwd(), env: await environment() })
    await watching.until(/Degraded/)
    await sync.database.updateTable('events').set({ outcome: 'applied' }).execute()
    await watching.until(/Healthy/)
    const { stdout } = await watching.stop('SIGINT')
    expect(stdout.match(/Healthy/g)).toHaveLength(1)
  })
})
