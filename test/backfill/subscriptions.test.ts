/** A missed event of a subscription, of which there is no list. */

import { beforeAll, expect, it } from 'vitest'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { emptyAll, scenes } from './scenes.ts'

describeEachDatabase('a subscription whose event was missed', (database) => {
  const { serve, open } = scenes(database)

  beforeAll(async () => {
    await database.open()
  })

  it('is repaired by a reconcile that names nothing, because its items differ', async () => {
    const clerk = createSimulatedClerk({ seed: 5 })
    for (let made = 0; made < 3; made++) clerk.act('activateSubscription')
    const api = await serve(clerk)
    const sync = await open(api)
    await emptyAll(sync)
    await sync.backfill()
    clerk.advanceTo(clerk.now + 20_000)
    await sync.backfill({ resources: ['subscriptions'] })
    const statuses = async () => {
      const rows = await sync.database.selectFrom('subscriptions').select(['id', 'status']).execute()
      return Object.fromEntries(rows.map(({ id, status }) => [id, status]))
    }
    const [subscription] = [...clerk.resources('subscriptions').values()].filter(({ id, status }) => {
      const items = clerk.ownedBy('subscription_items', id)
      return status === 'active' && items.some((item) => item.status === 'active')
    })
    clerk.act('letSubscriptionPastDue', subscription?.id)
    for (const item of clerk.ownedBy('subscription_items', String(subscription?.id))) {
      if (item.status === 'active') clerk.act('letItemPastDue', item.id)
    }
    const expected = [...clerk.resources('subscriptions').values()].map(({ id, status }) => [id, status])
    expect(await statuses()).not.toEqual(Object.fromEntries(expected))

    clerk.advanceTo(clerk.now + 20_000)
    const before = api.requests.length
    const preview = await sync.reconcile({ dryRun: true })
    expect(preview.drift.resources).toHaveProperty('subscriptions')
    expect(await statuses()).not.toEqual(Object.fromEntries(expected))
    await sync.reconcile()
    expect(await statuses()).toEqual(Object.fromEntries(expected))
    const asked = api.requests.slice(before).filter(({ path }) => path.endsWith('/billing/subscription'))
    expect(asked).toHaveLength(2)
    const rows = await sync.database.selectFrom('subscriptions_live').selectAll().execute()
    for (const row of rows) expect(row.payer_user_id ?? row.payer_organization_id).not.toBeNull()
    expect((await sync.reconcile()).drift.total).toBe(0)
  })
})
