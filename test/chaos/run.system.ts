/** Short chaos runs as processes: one is sound, and each guard that is broken on purpose is found. */

import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { describeWithInstalledPostgres } from '../support/postgres.ts'

const RUN = fileURLToPath(new URL('../../chaos/run.ts', import.meta.url))
/** As long as one cut takes. */
const SHORT = '--minutes 0.07 --engine postgres --nemeses proxy-cut --seed 3 --json'.split(' ')

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function runChaos(args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

describeWithInstalledPostgres('npm run chaos', () => {
  it('finds nothing, and exits with 0', async () => {
    const { code, stdout } = await runChaos(SHORT)
    const result = JSON.parse(stdout)
    expect(result.violations).toEqual([])
    expect(code).toBe(0)
    expect(result.harms).toMatchObject([{ name: 'proxy-cut' }])
    expect(result.counts['events acknowledged']).toBeGreaterThan(50)
    expect(result.counts['effects in transactions']).toBeGreaterThan(50)
  })

  it.each([
    ['acknowledge', 'lost'],
    ['order', 'misordered'],
  ])('finds that the guard %s is broken: %s', async (guard, kind) => {
    const { code, stdout } = await runChaos([...SHORT, '--break', guard])
    const result = JSON.parse(stdout)
    await rm(result.logs, { recursive: true, force: true })
    expect(result.totals[kind]).toBeGreaterThan(0)
    expect(code).toBe(1)
  })

  it('refuses what it does not know, naming what there is', async () => {
    const { code, stderr } = await runChaos(['--nemeses', 'meteor'])
    expect(code).toBe(2)
    expect(stderr).toContain('--nemeses must be one of kill-receiver, kill-worker')
  })
})
