import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CliProcess, runCli } from '../support/cli.ts'
import { describeWithPostgres } from '../support/databases.ts'

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'clerk-sync-demo-test-'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

/** Node keeps what it compiled there too. */
const left = async () => (await readdir(cwd)).filter((name) => name !== 'node-compile-cache')

const demo = (args: readonly string[] = []) =>
  runCli(['demo', ...args], { cwd, env: { CLERK_WEBHOOK_SIGNING_SECRET: undefined, TMPDIR: cwd } })

describe('demo', () => {
  it('proves the main job on an embedded database, without any configuration, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await demo()
    expect(stdout).toContain('PASS')
    expect(stdout.match(/✓ identical/g)).toHaveLength(38)
    expect(stderr).toMatch(
      /1 {2}Start.*\n.*2 {2}Backfill.*\n.*3 {2}Backlog.*\n.*4 {2}Live.*\n.*5 {2}Outage.*all redelivered, 0 lost.*\n.*6 {2}Reconcile +no differences.*\n.*7 {2}Verify/,
    )
    expect(code).toBe(0)
    expect(await left()).toEqual([])
  })

  it('ends by the signal that interrupts it, and leaves nothing behind', async () => {
    const cli = new CliProcess(['demo'], { cwd, env: { TMPDIR: cwd } })
    await sleep(2_500)
    expect((await cli.stop('SIGINT')).signal).toBe('SIGINT')
    expect(await left()).toEqual([])
  })
})

it('says that a database does not answer, and is no bug for that', async () => {
  const { code, stderr } = await demo(['--database', 'postgres://postgres@127.0.0.1:1/none'])
  expect(stderr).toContain('database_unavailable')
  expect(stderr).not.toContain('bug')
  expect(code).toBe(1)
})

describeWithPostgres('demo on a Postgres', (url) => {
  it('gives the same proof as JSON', async () => {
    const { code, stdout } = await demo(['--json', '--database', url, '--seed', '11'])
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ type: 'demo', pass: true })
    expect(result.steps.outage.messages).toBeGreaterThan(20)
    expect(result.steps.outage.attempts).toBeGreaterThanOrEqual(result.steps.outage.messages)
    expect(
      result.steps.live.duplicates * result.steps.live.reordered * result.steps.live.forgeries,
    ).toBeGreaterThan(0)
    expect(result.rejected).toBe(result.steps.live.forgeries)
    expect(result.tables).toHaveLength(38)
    expect(result.tables.every(({ differences }: { differences: number }) => differences === 0)).toBe(true)
    expect(code).toBe(0)
  })
})
