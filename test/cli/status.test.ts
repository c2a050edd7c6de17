import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { ask } from '../dashboard/client.ts'
import { CliProcess, jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

describeWithPostgres('status', (url) => {
  const database = postgresDatabase(url)
  const cwd = temporaryFolder()
  const environment = async () => {
    const { schema } = await database.location()
    return { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema }
  }
  const status = async (...args: string[]) =>
    runCli(['status', ...args], { cwd: await cwd(), env: await environment() })

  it('says the sentence of the dashboard: that nothing came yet, that all is well, and what is wrong', async () => {
    const missing = await status('--json')
    expect([missing.code, jsonLines(missing.stdout)]).toMatchObject([1, [{ status: { state: 'down' } }]])

    const sync = await database.open()
    const empty = await status()
    expect([empty.code, empty.stdout]).toEqual([0, expect.stringContaining('no event was received yet')])

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
      expect.stringMatching(/^. Degraded: 1 event was refused by the database since \d\d:\d\d UTC\.\n/),
    ])
    const { sentence } = (await ask(createDashboardHandler(sync), 'GET overview')).status
    expect(degraded.stdout).toContain(sentence)
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
