import type { PayerPayload } from '../payloads.ts'
import { bigint, boolean, defineResource, id, json, personal, text, time } from '../resource.ts'

export const subscriptionItems = defineResource({
  table: 'subscription_items',
  description: 'The plans within subscriptions.',
  events: {
    'subscriptionItem.created': 'upsert',
    'subscriptionItem.updated': 'upsert',
    'subscriptionItem.active': 'upsert',
    'subscriptionItem.canceled': 'upsert',
    'subscriptionItem.upcoming': 'upsert',
    'subscriptionItem.ended': 'upsert',
    'subscriptionItem.abandoned': 'upsert',
    'subscriptionItem.incomplete': 'upsert',
    'subscriptionItem.pastDue': 'upsert',
    'subscriptionItem.freeTrialEnding': 'upsert',
  },
  retired: ['subscriptionItem.created'],
  columns: {
    subscription_id: id(),
    status: text(),
    is_free_trial: boolean(),
    // The webhook's name, then the Backend API's and the TypeScript type's.
    plan_period: text(['interval', 'plan_period']),
    period_start: time(),
    period_end: time(),
    canceled_at: time(),
    ended_at: time(),
    past_due_at: time(),
    plan_id: id(['plan_id', 'plan.id']),
    plan_slug: text('plan.slug'),
    plan_name: text('plan.name'),
    plan_amount: bigint(['plan.amount', 'plan.fee.amount']),
    plan_currency: text(['plan.currency', 'plan.fee.currency']),
    price_id: id(),
    // Only the Backend API tells these; by Clerk's types events would, in flat fields.
    lifetime_paid: bigint(['lifetime_paid.amount', 'lifetime_paid']),
    next_payment_amount: bigint(['next_payment.amount.amount', 'next_payment_amount']),
    next_payment_date: time(['next_payment.date', 'next_payment_date']),
    next_payment: json(),
    payment_method: personal(json()),
    totals: json(),
    credits: json(['credits', 'credit']),
    // Not in the specification: https://clerk.com/docs/guides/billing/discounts
    discount: json(),
    payer_id: id(['payer_id', 'payer.id']),
    payer_user_id: id('payer.user_id'),
    payer_organization_id: id('payer.organization_id'),
    plan: json(),
    payer: personal(json<PayerPayload>()),
    seats: json(),
  },
  person: { users: { payer_user_id: ['payer', 'payment_method'] } },
  indexes: ['subscription_id', 'payer_user_id', 'payer_organization_id'],
  api: {
    lists: [{ path: '/billing/subscription_items', paging: 'offset', query: { include_free: 'true' } }],
    // A missed event of a subscription is only seen by its items.
    refreshes: {
      resource: 'subscriptions',
      owners: { users: 'payer_user_id', organizations: 'payer_organization_id' },
    },
    shape: 'other',
  },
})
