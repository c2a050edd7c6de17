import type { PayerPayload, SubscriptionItemPayload } from '../payloads.ts'
import { bigint, defineResource, id, json, personal, text, time } from '../resource.ts'

export const paymentAttempts = defineResource({
  table: 'payment_attempts',
  description: 'Attempts to collect a payment.',
  events: { 'paymentAttempt.created': 'upsert', 'paymentAttempt.updated': 'upsert' },
  columns: {
    status: text(),
    charge_type: text(),
    // The Backend API may have no totals, and tells the amount beside them.
    amount: bigint(['totals.grand_total.amount', 'amount.amount']),
    currency: text(['totals.grand_total.currency', 'amount.currency']),
    billing_date: time(),
    paid_at: time(),
    failed_at: time(),
    payment_id: id(),
    invoice_id: id(),
    statement_id: id(),
    gateway_external_id: personal(id()),
    payer_id: id(['payer_id', 'payer.id']),
    payer_user_id: id('payer.user_id'),
    payer_organization_id: id('payer.organization_id'),
    failed_reason: json(),
    totals: json(),
    payer: personal(json<PayerPayload>()),
    payee: json(),
    // The webhook's name, then the Backend API's.
    payment_source: personal(json(['payment_source', 'payment_method'])),
    subscription_item_id: id(),
    // As they were when paid: history, so they never touch `subscription_items`. Only events tell them.
    subscription_items: personal(json<SubscriptionItemPayload[]>()),
  },
  person: { users: { payer_user_id: ['payer', 'payment_source', 'payment_method', 'gateway_external_id'] } },
  indexes: ['payer_user_id', 'payer_organization_id'],
  api: {
    lists: [
      {
        path: '/billing/statements/{id}/payment_attempts',
        paging: 'offset',
        below: '/billing/statements',
      },
    ],
    shape: 'other',
  },
})
