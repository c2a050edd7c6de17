import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { ask } from '../dashboard/client.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

describeEachDatabase('the names in lists', (database) => {
  it('are those of people and organizations, masked unless they are made up', async () => {
    const sync = await database.open()
    const ada = { id: 'user_named', first_name: 'Ada', last_name: 'Lovelace', username: 'ada' }
    const address = { id: 'idn_1', email_address: 'ada@example.com' }
    await deliver(
      sync,
      eventOf('user.created', { ...ada, primary_email_address_id: 'idn_1', email_addresses: [address] }),
    )
    await deliver(sync, eventOf('organization.created', { id: 'org_named', name: 'Acme' }))
    await deliver(
      sync,
      eventOf('organizationMembership.created', {
        id: 'orgmem_named',
        organization: { id: 'org_named' },
        public_user_data: { user_id: 'user_named' },
      }),
    )
    await deliver(sync, eventOf('session.created', { id: 'sess_named', user_id: 'user_named' }))
    await deliver(sync, eventOf('session.created', { id: 'sess_of_nobody', user_id: 'user_unknown' }))

    const names = async (environment: 'development' | 'simulated') => {
      const handler = createDashboardHandler(sync, { environment })
      const { items } = await ask(handler, 'GET events')
      return Object.fromEntries(items.map(({ subject }) => [subject?.id, [subject?.label, subject?.detail]]))
    }
    expect(await names('development')).toEqual({
      user_named: ['a•••@example.com', 'A•••'],
      org_named: ['Acme', null],
      orgmem_named: ['a•••@example.com', 'Acme'],
      sess_named: ['a•••@example.com', null],
      sess_of_nobody: [null, null],
    })
    expect(await names('simulated')).toMatchObject({
      user_named: ['ada@example.com', 'Ada Lovelace'],
      orgmem_named: ['ada@example.com', 'Acme'],
    })
    const row = { resource: 'users', id: 'user_named' }
    const guarded = createDashboardHandler(sync, {
      environment: 'simulated',
      authorize: () => ({ name: 'somebody', role: 'admin' }),
    })
    expect(await ask(guarded, 'GET resources/{resource}/{id}', { path: row })).toMatchObject({
      isMasked: true,
      detail: 'A•••',
    })
  })
})
