import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { ask } from '../dashboard/client.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const address = (id: string, email_address: string) => ({ id, email_address })

describeEachDatabase('the search', (database) => {
  const people = [
    ['user_grace', 'Grace', 'Hopper', 'grace.hopper@navy.example'],
    ['user_ada', 'Ada', 'Lovelace', 'ada@analytical.example'],
    ['user_percent', 'Per%cent', 'Under_score', 'percent@example.test'],
  ] as const

  async function open() {
    const sync = await database.open()
    for (const [id, first_name, last_name, email] of people) {
      const emails = {
        email_addresses: [address(`idn_${id}`, email)],
        primary_email_address_id: `idn_${id}`,
      }
      await deliver(sync, eventOf('user.created', { id, first_name, last_name, username: null, ...emails }))
    }
    const org = { id: 'org_search', name: 'Analytical Engines', slug: 'analytical-engines' }
    await deliver(sync, eventOf('organization.created', org))
    return sync
  }

  it('finds people and organizations by a prefix, a part or some letters of a name, the closest first', async () => {
    const handler = createDashboardHandler(await open())
    const find = async (q: string) => {
      const { hits, isPartial } = await ask(handler, 'GET search', { query: { q } })
      expect(isPartial).toBe(false)
      return hits.map(({ id }) => id)
    }
    expect(await find('grace.h')).toEqual(['user_grace'])
    expect(await find('GRACE.H')).toEqual(['user_grace'])
    expect(await find('hopp')).toEqual(['user_grace'])
    expect(await find('Grace Hop')).toEqual(['user_grace'])
    expect(await find('ghop')).toEqual(['user_grace'])
    expect(await find('analytical-')).toEqual(['org_search'])
    expect((await find('analytical')).toSorted()).toEqual(['org_search', 'user_ada'])
    expect((await find('analytical'))[0]).toBe('org_search')
    expect(await find('grcae hoppre')).toEqual([])
  })

  it('takes what a pattern would mean for what it is', async () => {
    const handler = createDashboardHandler(await open())
    const find = async (q: string) => (await ask(handler, 'GET search', { query: { q } })).hits
    expect((await find('r%c')).map(({ id }) => id)).toEqual(['user_percent'])
    expect((await find('r_s')).map(({ id }) => id)).toEqual(['user_percent'])
    expect(await find('%%')).toEqual([])
    expect(await find('\\\\')).toEqual([])
  })

  it('lets a viewer find masked data by its exact value only, and shows it masked', async () => {
    const sync = await open()
    const viewer = createDashboardHandler(sync, { authorize: () => ({ name: 'viewer', role: 'viewer' }) })
    const find = async (q: string) => (await ask(viewer, 'GET search', { query: { q } })).hits
    expect(await find('grace.hopper@navy.exampl')).toEqual([])
    expect(await find('hopper')).toEqual([])
    const [exact] = await find('grace.hopper@navy.example')
    expect(exact).toMatchObject({ id: 'user_grace', title: expect.not.stringContaining('hopper') })
    expect(await find('analytical-eng')).toMatchObject([{ id: 'org_search' }])
  })
})
