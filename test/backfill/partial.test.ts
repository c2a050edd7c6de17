/** What the Backend API shows in part or in another shape completes what events showed, and replaces none of it. */

import { sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Payload } from '../../src/clerk/payloads.ts'
import type { SweepsProgress } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { emptyAll, scenes } from './scenes.ts'

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

  it('read payments below their statements, page by page, if they are asked for', async () => {
    const clerk = createSimulatedClerk({ seed: 83 })
    const known = clerk.act('attemptPayment')
    for (let made = 0; made < 130; made++) clerk.act('attemptPayment')
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    for (const event of known) await deliver(sync, event)
    const attempts = clerk.resources('payment_attempts')
    expect((await sync.backfill()).resources).not.toHaveProperty('payment_attempts')

    const pages: number[] = []
    const onProgress = ({ resources }: SweepsProgress) => pages.push(resources.payment_attempts?.listed ?? 0)
    const result = await sync.backfill({ resources: ['payment_attempts'], onProgress })
    expect(result.status).toBe('complete')
    expect(result.resources.payment_attempts).toMatchObject({ listed: 131, written: 0, unchanged: 131 })
    expect(pages.length).toBeGreaterThan(3)
    const rows = await sync.database
      .selectFrom('payment_attempts')
      .select(['id', 'status', 'amount', 'statement_id', 'payer_user_id', 'payer_organization_id'])
      .select(sql<string>`payment_source ->> 'last4'`.as('last4'))
      .execute()
    expect(rows).toHaveLength(attempts.size)
    for (const { last4, amount, ...row } of rows) {
      const attempt = attempts.get(row.id)
      expect(row).toEqual({
        id: row.id,
        status: attempt?.status,
        statement_id: attempt?.statement_id,
        payer_user_id: attempt?.payer?.user_id || null,
        payer_organization_id: attempt?.payer?.organization_id || null,
      })
      expect({ last4, amount }).toEqual({
        last4: attempt?.payment_source?.last4,
        amount: (attempt?.totals?.grand_total as Payload | undefined)?.amount,
      })
    }
  })

  it('take what became of a payment, and keep what only its event told', async () => {
    const clerk = createSimulatedClerk({ seed: 84 })
    const events = clerk.act('attemptPayment')
    const sync = await open(await serve(clerk))
    for (const event of events) await deliver(sync, event)
    const [id = ''] = clerk.resources('payment_attempts').keys()
    const attemptOf = () =>
      sync.database
        .selectFrom('payment_attempts')
        .select(['status', 'paid_at', 'invoice_id', 'billing_date', 'amount', 'subscription_items'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
    const before = await attemptOf()
    expect(before).toMatchObject({ status: 'pending', paid_at: null })

    clerk.act('completePayment', id)
    clerk.advanceTo(clerk.now + 5_000)
    const { drift } = await sync.reconcile({ full: true, resources: ['payment_attempts'] })
    expect(drift.total).toBe(1)
    expect(await attemptOf()).toEqual({ ...before, status: 'paid', paid_at: expect.any(Date) })
  })

  it('are disabled, and not deleted, where billing is switched off', async () => {
    const clerk = createSimulatedClerk({ seed: 85 })
    const events = clerk.act('attemptPayment')
    const api = await serve(clerk)
    const sync = await open(api)
    for (const event of events) await deliver(sync, event)
    for (const way of ['not_enabled', 'payment_required', 'not_found'] as const) {
      api.disable('billing', way)
      const { status, resources } = await sync.reconcile({ full: true, resources: ['payment_attempts'] })
      expect([status, resources.payment_attempts?.status]).toEqual(['complete', 'disabled'])
    }
    const [id = ''] = clerk.resources('payment_attempts').keys()
    const row = await sync.database.selectFrom('payment_attempts').select('deleted_at').where('id', '=', id)
    expect(await row.executeTakeFirst()).toEqual({ deleted_at: null })
  })

  it.each([501, 19, 20.5])(
    'are in no pages of %s: Clerk would answer with ten, or bring nothing new',
    async (apiPageSize) => {
      const api = await serve(createSimulatedClerk())
      await expect(open(api, { apiPageSize })).rejects.toMatchObject({ code: 'option_invalid' })
    },
  )

  it('cannot be asked for where Clerk lists nothing', async () => {
    const sync = await open(await serve(createSimulatedClerk()))
    await expect(sync.backfill({ resources: ['emails'] })).rejects.toMatchObject({ code: 'option_invalid' })
  })
})
