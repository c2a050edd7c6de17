import type { PayerPayload, Payload } from '../payloads.ts'
import { boolean, defineResource, id, json, listOf, personal, text, time } from '../resource.ts'

/**
 * Inside a subscription, an item's `subscription_id` is null, and payer and clock may be left out: all are the
 * subscription's. The Backend API has another name for the list.
 */
function items(subscription: Payload): Payload[] {
  return listOf(subscription.items ?? subscription.subscription_items).map((item) => ({
    ...item,
    subscription_id: item.subscription_id || subscription.id,
    payer: item.payer ?? subscription.payer,
    updated_at: item.updated_at ?? subscription.updated_at,
  }))
}

export const subscriptions = defineResource({
  table: 'subscriptions',
  description: 'Billing subscriptions of users and organizations.',
  events: {
    'subscription.created': 'upsert',
    'subscription.updated': 'upsert',
    'subscription.active': 'upsert',
    'subscription.pastDue': 'upsert',
  },
  columns: {
    status: text(),
    payer_id: id(['payer_id', 'payer.id']),
    // The Backend API does not tell, but was asked for the subscription of that payer.
    payer_user_id: id(['payer.user_id', 'payer_user_id']),
    payer_organization_id: id(['payer.organization_id', 'payer_organization_id']),
    active_at: time(),
    canceled_at: time(),
    ended_at: time(),
    past_due_at: time(),
    latest_payment_id: id(),
    payment_source_id: id(),
    eligible_for_free_trial: boolean(),
    next_payment: json(),
    payer: personal(json<PayerPayload>()),
  },
  person: { users: { payer_user_id: ['payer'] } },
  indexes: ['payer_user_id', 'payer_organization_id'],
  embeds: [{ resource: 'subscription_items', fields: ['items', 'subscription_items'], find: items }],
  api: {
    lists: [
      {
        path: '/users/{id}/billing/subscription',
        paging: 'none',
        per: 'users',
        adds: { payer_user_id: '{id}' },
      },
      {
        path: '/organizations/{id}/billing/subscription',
        paging: 'none',
        per: 'organizations',
        adds: { payer_organization_id: '{id}' },
      },
    ],
    shape: 'other',
  },
})
