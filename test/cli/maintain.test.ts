import { expect, it } from 'vitest'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { forgetBody } from '../support/ledger.ts'

describeWithPostgres('maintain', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  const run = async (...args: string[]) => {
    const { schema } = await database.location()
    return callCli(args, { cwd: await folder(), env: { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema } })
  }

  it('says what would go, and then what went', async () => {
    const sync = await database.open()
    await deliver(sync, eventOf('email.created', { id: 'ema_maintained' }))
    const synced_at = new Date(Date.now() - 31 * 86_400_000)
    await sync.database.updateTable('emails').set({ synced_at }).execute()

    const dry = await run('maintain', '--dry-run')
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing was changed') })
    expect(dry.stdout).toMatch(/messages +\S.* 1\b/)
    expect(dry.stdout).toMatch(/deadRuns +kept forever/)
    const [real] = jsonLines((await run('maintain', '--json')).stdout)
    expect(real).toMatchObject({ isDryRun: false, isComplete: true, forgotten: { messages: { rows: 1 } } })
    const [after] = jsonLines((await run('maintain', '--dry-run', '--json')).stdout)
    expect(after).toMatchObject({ isDryRun: true, forgotten: { messages: { rows: 0 } } })
  })

  it('leaves it to another process that is at it', async () => {
    const sync = await database.open()
    const lease = { holder: 'another', lease_until: new Date(Date.now() + 60_000) }
    await sync.database.updateTable('maintenance').set(lease).execute()
    const busy = await run('maintain')
    await sync.database
      .updateTable('maintenance')
      .set({ lease_until: new Date(0) })
      .execute()
    expect(busy).toMatchObject({ code: 1, stderr: expect.stringContaining('maintenance_running') })
  })

  it('is why an event has no body, and replaying it says what to do', async () => {
    const sync = await database.open()
    const { svixId } = await deliver(sync, eventOf('user.created', { id: 'user_bodiless' }))
    await forgetBody(sync, svixId)
    const received_before = new Date(Date.now() + 1_000)
    await sync.database
      .insertInto('retention_log')
      .values({ part: 'event_bodies', received_before })
      .execute()
    expect((await run('events', 'show', svixId)).stdout).toMatch(/no longer kept: forgotten .*retention/)
    const replayed = await run('events', 'replay', svixId, '--yes')
    expect(replayed).toMatchObject({ code: 3, stderr: expect.stringContaining('body_gone') })
    expect(replayed.stderr).toContain('Clerk Dashboard')
  })
})
