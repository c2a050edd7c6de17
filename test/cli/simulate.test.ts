import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CliProcess, callCli, jsonLines, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'

describeWithPostgres('simulate', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()
  let cwd: string
  let server: CliProcess

  beforeAll(async () => {
    cwd = await folder()
    const { schema } = await database.location()
    server = await startCli(['--database', url, '--schema', schema], { cwd })
  })
  afterAll(async () => {
    await server.stop()
  })

  const simulate = (args: readonly string[]) => callCli(['simulate', '--to', server.url, ...args], { cwd })

  it('sends as many things as it is told, with chaos, and sums up', async () => {
    const { code, stdout } = await simulate([
      '--json',
      '--count',
      '60',
      '--rate',
      '200/s',
      '--users',
      '5',
      '--seed',
      '4',
      '--chaos',
      '--time-scale',
      '0.001',
    ])
    const all = jsonLines(stdout)
    const summary = all.at(-1) as { messages: number; duplicates: number; forgeries: number }
    expect(summary).toMatchObject({
      type: 'summary',
      accepted: summary.messages,
      forgeries_refused: summary.forgeries,
    })
    expect(summary.duplicates).toBeGreaterThan(0)
    expect(all.filter(({ type }) => type === 'delivery').length).toBe(
      summary.messages + summary.duplicates + summary.forgeries,
    )
    expect(code).toBe(0)
    const sync = await database.open()
    const { count, first, last } = await sync.database
      .selectFrom('events')
      .select((q) => [
        q.fn.countAll<string>().as('count'),
        q.fn.min('occurred_at').as('first'),
        q.fn.max('occurred_at').as('last'),
      ])
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(summary.messages)
    // Sixty changes at 200 a second; with pauses of its own the simulated Clerk took three minutes for them.
    expect(Number(last) - Number(first)).toBeLessThan(60_000)
  })

  it('goes on until it is interrupted, and sums up', async () => {
    const cli = new CliProcess(['simulate', '--to', server.url, '--rate', '100/s', '--users', '2'], { cwd })
    await cli.until(/user\.created[\s\S]*\n[\s\S]*\n[\s\S]*\n/)
    const { signal, stderr } = await cli.stop('SIGINT')
    expect(signal).toBe('SIGINT')
    expect(stderr).toMatch(/\d+ messages · \d+ accepted/)
  })

  it('says when nobody listens', async () => {
    const args = [
      'simulate',
      '--to',
      'http://127.0.0.1:59/webhooks',
      '--count',
      '1',
      '--users',
      '1',
      '--time-scale',
      '0.0000001',
    ]
    const { code, stderr } = await callCli(args, { cwd })
    expect(stderr).toContain('nothing is listening there')
    expect(code).toBe(1)
  })
})

describe('simulate without a secret', () => {
  it('says which one it needs', async () => {
    const { code, stderr } = await callCli(['simulate', '--count', '1'], {
      cwd: tmpdir(),
      env: { CLERK_WEBHOOK_SIGNING_SECRET: undefined },
    })
    expect(stderr).toContain('secret_missing')
    expect(code).toBe(1)
  })
})
