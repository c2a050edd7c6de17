import type { PayerPayload } from '../payloads.ts'
import { boolean, defineResource, id, integer, json, text, time } from '../resource.ts'

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
    plan_amount: integer(['plan.amount', 'plan.fee.amount']),
    plan_currency: text(['plan.currency', 'plan.fee.currency']),
    payer_id: id(['payer_id', 'payer.id']),
    payer_user_id: id('payer.user_id'),
    payer_organization_id: id('payer.organization_id'),
    plan: json(),
    payer: json<PayerPayload>(),
    seats: json(),
  },
  indexes: ['subscription_id', 'payer_user_id', 'payer_organization_id'],
  api: {
    lists: [{ path: '/billing/subscription_items', paging: 'offset', query: { include_free: 'true' } }],
    shape: 'other',
  },
})
