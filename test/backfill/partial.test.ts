/** What the Backend API shows in part or in another shape completes what events showed, and replaces none of it. */

import { expect, it } from 'vitest'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { scenes } from './scenes.ts'

describeEachDatabase('billing and sessions', (database) => {
  const { serve, open } = scenes(database)

  it('keep what only events tell, and take what changed', async () => {
    const clerk = createSimulatedClerk({ seed: 81 })
    const events = clerk.act('startTrial')
    const sync = await open(await serve(clerk))
    for (const event of events) await deliver(sync, event)
    const [id] = clerk.resources('subscription_items').keys()
    const itemOf = () =>
      sync.database
        .selectFrom('subscription_items')
        .select(['status', 'subscription_id', 'plan_slug', 'plan_amount', 'payer_user_id', 'event_id'])
        .where('id', '=', String(id))
        .executeTakeFirstOrThrow()
    const before = await itemOf()
    expect(before.subscription_id).toMatch(/^csub_/)
    clerk.advanceTo(clerk.now + 5_000)
    const same = await sync.reconcile({ full: true, resources: ['subscription_items'] })
    expect(same.resources.subscription_items).toMatchObject({ unchanged: 1, written: 0 })

    clerk.act('cancelItem', id)
    clerk.advanceTo(clerk.now + 5_000)
    const result = await sync.reconcile({ full: true, resources: ['subscription_items'] })
    expect(result.resources.subscription_items).toMatchObject({ written: 1 })
    expect(await itemOf()).toEqual({ ...before, status: 'canceled', event_id: result.jobId })
  })

  it('are read one by one if they are asked for', async () => {
    const clerk = createSimulatedClerk({ seed: 82 })
    clerk.act('subscribeUser')
    clerk.act('subscribeOrganization')
    for (let made = 0; made < 12; made++) clerk.act('signIn')
    const sync = await open(await serve(clerk))
    expect((await sync.backfill()).resources).not.toHaveProperty('sessions')
    const result = await sync.backfill({ resources: ['sessions', 'subscriptions'] })
    expect(result.status).toBe('complete')
    for (const table of ['sessions', 'subscriptions'] as const) {
      const rows = await sync.database.selectFrom(table).select('id').execute()
      expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining([...clerk.resources(table).keys()]))
    }
  })

  it('cannot be asked for where Clerk lists nothing', async () => {
    const sync = await open(await serve(createSimulatedClerk()))
    await expect(sync.backfill({ resources: ['emails'] })).rejects.toMatchObject({ code: 'option_invalid' })
  })
})
