/** Runs that are due while nobody runs them: everyone who looks is told, with what to do. */

import { sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { read } from '../../src/inspect/reading.ts'
import { readWaitingWork } from '../../src/inspect/waiting-work.ts'
import { startServer } from '../../src/server/server.ts'
import { ask } from '../dashboard/client.ts'
import { callCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

describeWithPostgres('handler runs that wait', (url) => {
  const folder = temporaryFolder()

  it('are told of by status, dashboard, doctor and readyz until a worker is there', async () => {
    const database = postgresDatabase(url)
    const sync = await database.open()
    sync.on('user.created', () => undefined, { name: 'welcome' })
    const { schema } = sync.location
    const now = () => sql`clock_timestamp()`
    const overview = async () => {
      const handler = createDashboardHandler(sync, { environment: 'development' })
      return (await ask(handler, 'GET overview', { remoteAddress: '127.0.0.1' })).status
    }
    for (const id of ['user_1', 'user_2']) await deliver(sync, eventOf('user.created', { id }))
    expect((await overview()).state).toBe('healthy')

    const runs = sql.table(`${schema}.handler_runs`)
    await sql`update ${runs} set due_at = ${now()} - interval '2 minutes'`.execute(sync.database)
    const never = '2 handler runs are due, but no worker has ever been seen'
    expect(await overview()).toMatchObject({
      state: 'degraded',
      sentence: `Degraded: ${never}.`,
      data: expect.stringContaining('sync.work()'),
    })
    const gone = { id: 'gone', lease_until: new Date() }
    await sync.database.insertInto('handler_workers').values(gone).execute()
    expect((await overview()).state).toBe('healthy')
    const workers = sql.table(`${schema}.handler_workers`)
    await sql`update ${workers} set lease_until = ${now()} - interval '200 seconds'`.execute(sync.database)
    const fact = '2 handler runs are due, but no worker has been seen for 3 min'
    expect((await overview()).sentence).toBe(`Degraded: ${fact}.`)

    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, CLERK_WEBHOOK_SIGNING_SECRET: SECRET }
    const cwd = await folder()
    const status = await callCli(['status'], { cwd, env })
    expect([status.code, status.stdout + status.stderr]).toEqual([3, expect.stringContaining(fact)])
    const doctor = await callCli(['doctor', '--json'], { cwd, env })
    expect(doctor.stdout).toContain('"code":"runs_waiting"')
    const server = await startServer({ sync: await database.open(), port: 0 })
    onTestFinished(async () => void (await server.stop()))
    const ready = await fetch(`http://127.0.0.1:${server.port}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { ok: true, detail: expect.stringContaining(`Degraded: ${fact}. Start a worker: call sync.work()`) },
    ])

    // A worker that works is there, whatever it has to do.
    await sync.handlers.pause('welcome')
    expect((await overview()).state).toBe('healthy')
    await sync.handlers.resume('welcome')
    await sync.work()
    await expect.poll(async () => (await overview()).state, { timeout: 10_000 }).toBe('healthy')
  }, 60_000)

  it('are not told of between two calls of a cron job', async () => {
    const sync = await postgresDatabase(url).open()
    const { schema } = sync.location
    const readWork = () => read({ database: sync.database, schema }, readWaitingWork)
    sync.on('user.created', () => undefined, { name: 'welcome' })
    for (const id of ['user_1', 'user_2']) await deliver(sync, eventOf('user.created', { id }))
    expect(await sync.drain()).toEqual({ succeeded: 2, failed: 0 })
    expect(await sync.drain()).toEqual({ succeeded: 0, failed: 0 })

    const [runs, workers] = [sql.table(`${schema}.handler_runs`), sql.table(`${schema}.handler_workers`)]
    await sql`update ${runs} set status = 'pending', due_at = now() - interval '2 minutes'`.execute(
      sync.database,
    )
    expect(await readWork()).toBeNull()
    // One row says when the last worker ended, however many there were.
    const { rows } = await sql`select has_ended from ${workers}`.execute(sync.database)
    expect(rows).toEqual([{ has_ended: true }])
    await sql`update ${workers} set lease_until = now() - interval '2 minutes'`.execute(sync.database)
    expect(await readWork()).toMatchObject({ due: { value: 2 }, workerSeenAt: expect.any(String) })
  })

  it('include those of a worker that is lost', async () => {
    const sync = await postgresDatabase(url).open()
    const { schema } = sync.location
    sync.on('user.created', () => undefined, { name: 'welcome' })
    await deliver(sync, eventOf('user.created', { id: 'user_1' }))
    const lost = { status: 'running', worker: 'gone', due_at: new Date(Date.now() - 120_000) } as const
    await sync.database.updateTable('handler_runs').set(lost).execute()
    const gone = { id: 'gone', lease_until: new Date(Date.now() - 100_000) }
    await sync.database.insertInto('handler_workers').values(gone).execute()
    const work = await read({ database: sync.database, schema }, readWaitingWork)
    expect(work).toMatchObject({ due: { value: 1 }, workerSeenAt: gone.lease_until.toISOString() })
  })
})
