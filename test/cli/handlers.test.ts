import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import config from './handlers-config.ts'

const CONFIG = fileURLToPath(new URL('./handlers-config.ts', import.meta.url))

describeWithPostgres('handlers and failures', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)

  const cli = async (...args: string[]) => {
    const { schema } = await database.location()
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, CLERK_WEBHOOK_SIGNING_SECRET: undefined }
    return callCli([...args, '--config', CONFIG], { cwd: await folder(), env })
  }

  /** Three users whose shelving has failed for good. */
  async function withFailures() {
    const sync = await database.open({ ...config })
    for (const id of ['user_cli1', 'user_cli2', 'user_cli3'])
      await deliver(sync, eventOf('user.created', { id }))
    while ((await sync.drain()).failed > 0);
    return sync
  }

  it('are listed, paused and resumed', async () => {
    await database.open()
    const pausing = await cli('handlers', 'pause', 'shelve', '--reason', 'no shelves')
    expect([pausing.code, pausing.stderr]).toEqual([0, expect.stringContaining('shelve is paused')])
    const list = await cli('handlers', 'list')
    expect(list.stdout).toMatch(
      /^shelve +user\.created +paused since .*: no shelves\nmail +email\.created\ngreet +user\.\*\n$/,
    )
    expect((await cli('handlers', 'resume', 'shelve')).code).toBe(0)
    expect(jsonLines((await cli('handlers', 'list', '--json')).stdout)).toMatchObject([
      { name: 'shelve', pausedAt: null },
      { name: 'mail', pausedAt: null },
      { name: 'greet', pausedAt: null },
    ])
    const unknown = await cli('handlers', 'pause', 'nobody')
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('handler_unknown')])
  })

  it('are listed in groups that fail alike, counted, tried again and discarded', async () => {
    const sync = await withFailures()
    const statuses = async () => {
      const rows = await sync.database
        .selectFrom('handler_runs')
        .select('status')
        .where('handler', '=', 'shelve')
        .execute()
      return rows.map(({ status }) => status)
    }
    const list = await cli('failures', 'list')
    expect(list.stdout).toMatch(/^shelve .*3 dead .*no shelf for /)
    const [group] = jsonLines((await cli('failures', 'list', '--json')).stdout)
    expect(group).toMatchObject({ handler: 'shelve', dead: { value: 3 }, fingerprint: expect.any(String) })

    const narrowed = ['--group', group?.fingerprint as string]
    expect((await cli('failures', 'retry', ...narrowed, '--dry-run')).stdout).toBe('3\n')
    const unasked = await cli('failures', 'retry', ...narrowed)
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')])
    const retried = await cli(
      'failures',
      'retry',
      ...narrowed,
      '--yes',
      '--rate',
      '100',
      '--note',
      'new shelves',
    )
    expect([retried.code, retried.stdout]).toEqual([0, expect.stringMatching(/^3 of 3, complete \(job_/)])
    expect(await statuses()).toEqual(Array(3).fill('pending'))

    await sync.drain()
    const discarded = await cli('failures', 'discard', '--handler', 'shelve', '--yes', '--json')
    expect(jsonLines(discarded.stdout)).toMatchObject([{ status: 'complete', matched: 3, changed: 3 }])
    expect(await statuses()).toEqual(Array(3).fill('discarded'))
    expect((await cli('failures', 'list')).stderr).toContain('No failed runs')
    const everything = await cli('failures', 'discard', '--yes')
    expect([everything.code, everything.stderr]).toEqual([2, expect.stringContaining('Missing runs')])
  })

  it('are offered in groups to somebody who does not say which', async () => {
    await withFailures()
    const unsaid = await cli('failures', 'retry')
    expect(unsaid.code).toBe(2)
    const [, group] = /failures retry --handler shelve --group (\S+) {2}# 3 dead/.exec(unsaid.stderr) ?? []
    const said = await cli('failures', 'discard', '--group', group as string, '--yes')
    expect(said.stdout).toMatch(/^3 of 3, complete/)
  })

  it('are tried again only after a count of those whose codes were forgotten', async () => {
    const sync = await database.open({ ...config })
    await deliver(sync, eventOf('email.created', { id: 'ema_cli1', data: { otp_code: '424242' } }))
    await sync.drain()
    const unasked = await cli('failures', 'retry', '--handler', 'mail')
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('1 lost the codes or links')])
    const counted = await cli('failures', 'retry', '--handler', 'mail', '--dry-run', '--json')
    expect(jsonLines(counted.stdout)).toEqual([{ matched: 1, secretsForgotten: 1 }])
    const discarded = await cli('failures', 'discard', '--handler', 'mail', '--yes')
    expect([discarded.code, discarded.stderr]).toEqual([0, expect.not.stringContaining('codes or links')])
  })

  it('are run for what was there before them', async () => {
    const ran = await cli('handlers', 'run', 'greet', '--existing', 'users', '--yes', '--rate', '100')
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^0 of 3, complete/)])
    const ambiguous = await cli('handlers', 'run', 'greet', '--existing', 'users', '--since', '1h', '--yes')
    expect([ambiguous.code, ambiguous.stderr]).toEqual([
      2,
      expect.stringContaining('--existing users, or --since 7d'),
    ])
  })
})
