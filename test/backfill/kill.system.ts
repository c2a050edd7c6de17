/**
 * Backfills and reconciles in processes of their own, killed at random pages.
 *
 * KILLS=20 npx vitest run test/backfill/kill.system.ts looks harder. A job that was killed is taken over after ten seconds.
 */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { CliProcess, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { scenes, wrongTables } from './scenes.ts'

const KILLS = Number(process.env.KILLS ?? 1)
const PAGE_SIZE = 20
/** Some are read ahead: of so many, at least one was written. */
const FEWEST_PAGES = 6
const MOST_PAGES = 12
/** More than what is read before the last kill. */
const USERS = (KILLS + 1) * MOST_PAGES * PAGE_SIZE

describeEachDatabase('what is killed with kill -9', (database) => {
  const { serve, open } = scenes(database)
  const folder = temporaryFolder()

  it('goes on where it was, and ends with everything', async () => {
    const clerk = createSimulatedClerk({ seed: 41 })
    for (let made = 0; made < USERS; made++) clerk.act('createUser')
    for (let made = 0; made < 60; made++) clerk.act('addMember')
    const random = new Random(Date.now())
    const api = await serve(clerk, { slowMs: 50, faults: { slow: 1 } })
    const { requests, secretKey } = api
    // The tables; an embedded database is then the processes' own.
    await (await open(api)).close()
    const { database: address, schema } = await database.location()
    await writeFile(
      join(await folder(), 'clerk-sync.config.mjs'),
      `export default { database: ${JSON.stringify(address)}, schema: '${schema}', apiPageSize: ${PAGE_SIZE}, apiRateLimit: Infinity }`,
    )
    const env = { CLERK_SECRET_KEY: secretKey, CLERK_API_URL: api.url }
    const pages = () => requests.filter(({ path }) => !path.includes('/count') && path !== '/v1/instance')
    const start = async (command: readonly string[]) => {
      const process = new CliProcess([...command, '--json'], { cwd: await folder(), env })
      onTestFinished(() => process.send('SIGKILL'))
      return process
    }

    for (const command of [['backfill'], ['reconcile', '--full']]) {
      for (let kill = 0; kill < KILLS; kill++) {
        const victim = await start(command)
        const before = pages().length
        const wanted = before + random.integer(FEWEST_PAGES, MOST_PAGES)
        let isOver = false
        void victim.ended.then(() => {
          isOver = true
        })
        while (pages().length < wanted && !isOver) await sleep(5)
        const { signal, stdout, stderr } = await victim.stop('SIGKILL')
        expect(signal, stdout + stderr).toBe('SIGKILL')
      }
      const before = pages().length
      const { code, stdout, stderr } = await (await start(command)).ended
      expect(code, stdout + stderr).toBe(0)
      expect(jsonLines(stdout).at(-1)).toMatchObject({ status: 'complete', isResumed: true })
      // Else it would have begun anew.
      const users = pages()
        .slice(before)
        .filter(({ path }) => path === '/v1/users')
      expect(users.length).toBeLessThanOrEqual(clerk.resources('users').size / PAGE_SIZE)
      for (let made = 0; made < 30; made++) clerk.act('createUser')
      clerk.advanceTo(clerk.now + 5_000)
    }

    const sync = await open(api)
    await sync.reconcile({ full: true, resources: ['users'] })
    expect(await wrongTables(sync, clerk)).toEqual([])
    const jobs = await sync.database
      .selectFrom('jobs')
      .select(['kind', 'status', 'runs'])
      .orderBy('created_at')
      .execute()
    expect(jobs.slice(0, 2)).toEqual([
      { kind: 'backfill', status: 'complete', runs: KILLS + 1 },
      { kind: 'reconcile', status: 'complete', runs: KILLS + 1 },
    ])
  }, 300_000)

  it('is not run twice at a time', async () => {
    const clerk = createSimulatedClerk({ seed: 42 })
    for (let made = 0; made < 100; made++) clerk.act('createUser')
    const api = await serve(clerk, { slowMs: 1_000, faults: { slow: 1 } })
    const sync = await open(api, { apiPageSize: 20 })
    const first = sync.backfill({ resources: ['users'], restart: true })
    // The first asks for the instance, before the job begins.
    while (api.requests.length < 2) await sleep(5)
    await expect(sync.backfill({ resources: ['organizations'] })).rejects.toMatchObject({
      code: 'job_running',
    })
    expect((await first).status).toBe('complete')
  })
})
