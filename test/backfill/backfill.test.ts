import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import type { SweepsProgress } from '../../src/index.ts'
import { type BackendApi, createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { empty } from '../testing/histories.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

describeEachDatabase('a backfill', (database) => {
  const { serve, open } = scenes(database)

  it('makes empty tables equal Clerk, and changes nothing the second time', async () => {
    const clerk = createSimulatedClerk({ seed: 31 })
    for (let action = 0; action < 300; action++) clerk.act()
    const api = await serve(clerk)
    const sync = await open(api)
    await empty(sync)
    const first = await sync.backfill()
    expect(first.status, JSON.stringify(first.resources)).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])
    const { users } = first.resources
    expect(users).toMatchObject({ expected: clerk.resources('users').size, failed: 0, unchanged: 0 })
    expect(users?.written).toBe(clerk.resources('users').size)

    const second = await sync.backfill()
    expect(Object.values(second.resources).map(({ written }) => written)).toEqual(
      Object.values(second.resources).map(() => 0),
    )
  })

  it('counts nobody twice who was read ahead of the page where it was stopped', async () => {
    const clerk = createSimulatedClerk({ seed: 32 })
    for (let made = 0; made < 200; made++) clerk.act('createUser')
    const sync = await open(await serve(clerk), { apiPageSize: 20 })
    await emptyAll(sync)
    const stopping = new AbortController()
    const onProgress = () => stopping.abort(new Error('enough'))
    const stopped = sync.backfill({ resources: ['users'], signal: stopping.signal, onProgress })
    await expect(stopped).rejects.toThrow('enough')
    const { status, resources } = await sync.backfill({ resources: ['users'] })
    expect([status, resources.users?.listed]).toEqual(['complete', clerk.resources('users').size])
  })

  it('counts a resource anew that it reads again from the beginning', async () => {
    const clerk = createSimulatedClerk({ seed: 33 })
    for (let made = 0; made < 30; made++) clerk.act('createUser')
    clerk.act('createOrganization')
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    const users = sql.table(`${sync.location.schema}.users`)
    const [refused = ''] = clerk.resources('users').keys()
    await sql`alter table ${users} add constraint no_first check (id <> ${sql.lit(refused)})`.execute(
      sync.database,
    )
    const stopping = new AbortController()
    const onProgress = ({ resources }: SweepsProgress) => {
      if (resources.organizations?.status === 'running') stopping.abort(new Error('enough'))
    }
    const stopped = sync.backfill({ signal: stopping.signal, onProgress })
    await expect(stopped).rejects.toThrow('enough')
    await sql`alter table ${users} drop constraint no_first`.execute(sync.database)
    const { status, isResumed, resources } = await sync.backfill()
    expect([status, isResumed]).toEqual(['complete', true])
    expect(resources.users).toMatchObject({ listed: clerk.resources('users').size, failed: 0, error: null })
  })

  it('is incomplete when fewer are shown than counted', async () => {
    const clerk = createSimulatedClerk({ seed: 34 })
    for (let made = 0; made < 3; made++) clerk.act('createOrganization')
    const api = await serve(clerk)
    const sync = await open(api, { apiUrl: await exaggerate(api) })
    const result = await sync.backfill({ resources: ['organizations'] })
    const { size } = clerk.resources('organizations')
    expect(result.status).toBe('incomplete')
    expect(result.resources.organizations).toMatchObject({
      status: 'incomplete',
      listed: size,
      expected: size + 5,
    })
  })

  it('goes on where Clerk’s API interrupted it', async () => {
    const clerk = createSimulatedClerk({ seed: 35 })
    for (let made = 0; made < 100; made++) clerk.act('createUser')
    const api = await serve(clerk)
    let [pages, isOpen] = [0, false]
    const isRefused = (path: string) => path.startsWith('/v1/users?') && ++pages > 3 && !isOpen
    const apiUrl = await serveThrough(api, (path, answer) =>
      isRefused(path) ? { status: 403, body: { errors: [{ code: 'forbidden' }] } } : answer,
    )
    const sync = await open(api, { apiUrl, apiPageSize: 20 })
    await emptyAll(sync)
    const first = await sync.backfill({ resources: ['users'] })
    expect(first).toMatchObject({
      status: 'failed',
      resources: { users: { error: { code: 'api_refused' } } },
    })
    isOpen = true
    pages = 0
    const { status, jobId, isResumed } = await sync.backfill({ resources: ['users'] })
    expect({ status, jobId, isResumed }).toEqual({ status: 'complete', jobId: first.jobId, isResumed: true })
    expect(pages).toBeLessThan(5)
    expect(await wrongTables(sync, clerk).then((wrong) => wrong.map(({ table }) => table))).not.toContain(
      'users',
    )
  })
})

interface Answer {
  readonly status: number
  readonly body: { total_count?: number; errors?: readonly object[] }
}

/** Serves the same, but with lists that count five more than they show. */
function exaggerate(api: BackendApi): Promise<string> {
  return serveThrough(api, (_, { status, body }) => {
    if (body.total_count !== undefined) body.total_count += 5
    return { status, body }
  })
}

async function serveThrough(
  { url }: BackendApi,
  change: (path: string, answer: Answer) => Answer,
): Promise<string> {
  const server = createServer(async ({ url: path = '', headers }, response) => {
    const { authorization = '' } = headers
    const answer = await fetch(url + path, { headers: { authorization } })
    const { status, body } = change(path, {
      status: answer.status,
      body: (await answer.json()) as Answer['body'],
    })
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
