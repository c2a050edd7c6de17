/** Lists that change while they are read: nobody who was there from beginning to end may be missed. */

import { afterAll, describe, expect, it } from 'vitest'
import { lookUp } from '../../src/backfill/lookup.ts'
import { type ListedPage, type Position, readPages } from '../../src/backfill/pages.ts'
import { UNLIMITED } from '../../src/backfill/rate-budget.ts'
import { ClerkApi } from '../../src/clerk/api/client.ts'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import type { Resource } from '../../src/clerk/resource.ts'
import {
  type BackendApi,
  type BackendApiOptions,
  createSimulatedClerk,
  type SimulatedClerk,
  startBackendApi,
} from '../../src/testing/index.ts'

const servers: BackendApi[] = []
afterAll(() => Promise.all(servers.map((server) => server.close())))

async function readerOf(clerk: SimulatedClerk, table: string, options: BackendApiOptions = {}) {
  const server = await startBackendApi(clerk, { rateLimit: null, ...options })
  servers.push(server)
  const api = new ClerkApi({
    secretKey: server.secretKey,
    apiUrl: server.url,
    apiVersion: '2026-05-12',
    timeoutMs: 5_000,
    budget: UNLIMITED,
    now: Date.now,
  })
  const users = [...clerk.resources('users').keys()].sort()
  const readParents = async (_: string, after: string | null, limit: number) =>
    users.filter((id) => after === null || id > after).slice(0, limit)
  const reading = { api, call: {}, readParents }
  const read = (from: Position | null = null) => readPages(reading, RESOURCES.get(table) as Resource, from)
  return { server, read }
}

function populate(users: number, organizations: number): SimulatedClerk {
  const clerk = createSimulatedClerk({ seed: 3 })
  for (let made = 0; made < users; made++) clerk.act('createUser')
  for (let made = 0; made < organizations; made++) clerk.act('createOrganization')
  return clerk
}

async function idsOf(pages: AsyncGenerator<ListedPage>, between: (page: number) => void = () => undefined) {
  const ids: string[] = []
  let count = 0
  for await (const { items } of pages) {
    ids.push(...items.map(({ id }) => id))
    between(++count)
  }
  return ids
}

describe('reading a list', () => {
  it('shows everyone once, page by page', async () => {
    const clerk = populate(1_203, 3)
    const { read, server } = await readerOf(clerk, 'users')
    const ids = await idsOf(read())
    expect(ids).toEqual([...clerk.resources('users').keys()])
    expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['500', '500', '500'])
  })

  it('goes on after any page, by what was kept of it as JSON', async () => {
    const clerk = populate(20, 1_100)
    for (const table of ['users', 'organizations', 'organization_memberships'] as const) {
      const { read } = await readerOf(clerk, table)
      const all = await idsOf(read())
      const first = await read().next()
      const next = JSON.parse(JSON.stringify((first.value as ListedPage).next)) as Position | null
      const rest = next ? await idsOf(read(next)) : []
      const before = (first.value as ListedPage).items.map(({ id }) => id)
      expect(new Set([...before, ...rest])).toEqual(new Set(all))
      expect(new Set(all).size).toBe(clerk.resources(table).size)
    }
  })

  it.each([1, 12, 300, 520])('misses nobody when %i in front are deleted between two pages', async (gone) => {
    const clerk = populate(5, 1_300)
    const { read } = await readerOf(clerk, 'organizations')
    const doomed = [...clerk.resources('organizations').keys()].slice(0, gone)
    const ids = await idsOf(read(), (page) => {
      if (page === 1) for (const id of doomed) clerk.act('deleteOrganization', id)
    })
    const missed = [...clerk.resources('organizations').keys()].filter((id) => !ids.includes(id))
    expect(missed).toEqual([])
  })

  it('misses nobody when the end of the page is deleted too', async () => {
    const clerk = populate(5, 1_300)
    const { read } = await readerOf(clerk, 'organizations')
    const all = [...clerk.resources('organizations').keys()]
    const ids = await idsOf(read(), (page) => {
      if (page === 1)
        for (const id of [...all.slice(0, 30), ...all.slice(480, 505)]) clerk.act('deleteOrganization', id)
    })
    expect([...clerk.resources('organizations').keys()].filter((id) => !ids.includes(id))).toEqual([])
  })

  it('goes on from an earlier user when the one at the cursor was deleted', async () => {
    const clerk = populate(1_300, 0)
    const { read } = await readerOf(clerk, 'users', { goneCursor: 'refused' })
    const all = [...clerk.resources('users').keys()]
    const ids = await idsOf(read(), (page) => {
      if (page === 1) for (const id of all.slice(497, 500)) clerk.act('deleteUser', id)
    })
    expect([...clerk.resources('users').keys()].filter((id) => !ids.includes(id))).toEqual([])
  })

  it('asks for each status of invitations, and for the sessions of each user', async () => {
    const clerk = populate(12, 0)
    for (let made = 0; made < 6; made++) clerk.act('createInvitation')
    clerk.act('revokeInvitation')
    for (let made = 0; made < 20; made++) clerk.act('signIn')
    const invitations = await readerOf(clerk, 'invitations')
    expect(new Set(await idsOf(invitations.read()))).toEqual(new Set(clerk.resources('invitations').keys()))
    const sessions = await readerOf(clerk, 'sessions')
    expect(new Set(await idsOf(sessions.read()))).toEqual(new Set(clerk.resources('sessions').keys()))
  })

  it.each([0, 1, 5, 10, 11, 400, 995])(
    'ends when %i are shown of a thousand that are counted',
    async (shown) => {
      const { api, offsets } = exaggerating(shown, 1_000)
      const reading = { api, call: {}, readParents: async () => [] }
      const ids = await idsOf(readPages(reading, RESOURCES.get('organizations') as Resource, null))
      expect(ids).toHaveLength(shown)
      expect(offsets.length).toBeLessThan(5)
    },
  )

  it('ends when a search shows few of all that are counted', async () => {
    const { api, offsets } = exaggerating(3, 1_000)
    const wanted = [{ id: 'org_0' }, { id: 'org_gone' }]
    const answers = await lookUp(api, RESOURCES.get('organizations') as Resource, wanted, {})
    expect(answers.map(({ id, item }) => [id, item?.id])).toEqual([
      ['org_0', 'org_0'],
      ['org_gone', undefined],
    ])
    expect(offsets.length).toBeLessThan(3)
  })
})

/** An API whose lists count more than they show, as one with a filter does that counts without it. */
function exaggerating(shown: number, total: number) {
  const all = Array.from({ length: shown }, (_, index) => ({ id: `org_${index}` }))
  const offsets: number[] = []
  const page = async (_: string, { limit, offset }: Record<string, string>) => {
    offsets.push(Number(offset))
    if (offsets.length > 20) throw new Error('it does not end')
    const items = all.slice(Number(offset), Number(offset) + Number(limit))
    return { items, total, observedAt: new Date() }
  }
  return { api: { pageSize: 500, page } as unknown as ClerkApi, offsets }
}
