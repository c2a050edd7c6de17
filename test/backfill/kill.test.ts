/** A backfill in a process of its own, killed where it hurts. */

import { afterAll, expect, it } from 'vitest'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { CliProcess, jsonLines, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { wrongTables } from './scenes.ts'

const USERS = 2_100

describeWithPostgres('a backfill that is killed', (url) => {
  const folder = temporaryFolder()
  const database = postgresDatabase(url)
  let api: BackendApi | undefined
  afterAll(() => api?.close())

  it('goes on where it was, and ends with everything', async () => {
    const clerk = createSimulatedClerk({ seed: 41 })
    for (let made = 0; made < USERS; made++) clerk.act('createUser')
    clerk.act('createOrganization')
    api = await startBackendApi(clerk, { rateLimit: null, slowMs: 300, faults: { slow: 1 } })
    const { requests, secretKey } = api
    const sync = await database.open()
    const { schema } = await database.location()
    const cwd = await folder()
    const env = {
      DATABASE_URL: url,
      CLERK_SYNC_SCHEMA: schema,
      CLERK_SECRET_KEY: secretKey,
      CLERK_API_URL: api.url,
    }
    const pagesRead = () => requests.filter(({ path }) => path === '/v1/users').length

    const victim = new CliProcess(['backfill', '--json'], { cwd, env })
    while (pagesRead() < 3) await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await victim.stop('SIGKILL')).signal).toBe('SIGKILL')
    const before = pagesRead()
    const { code, stdout } = await new CliProcess(['backfill', '--json'], { cwd, env }).ended
    expect(code).toBe(0)
    const [result] = jsonLines(stdout)
    expect(result).toMatchObject({ status: 'complete', isResumed: true })
    expect(pagesRead() - before).toBeLessThan(5)
    expect(await wrongTables(sync, clerk)).toEqual([])
    const jobs = await sync.database.selectFrom('jobs').select(['status', 'runs']).execute()
    expect(jobs).toEqual([{ status: 'complete', runs: 2 }])
  })

  it('is not run twice at a time', async () => {
    const sync = await database.open({ secretKey: api?.secretKey, apiUrl: api?.url })
    const first = sync.backfill({ resources: ['users'], restart: true })
    await expect(sync.backfill({ resources: ['organizations'] })).rejects.toMatchObject({
      code: 'job_running',
    })
    expect((await first).status).toBe('complete')
  })
})
