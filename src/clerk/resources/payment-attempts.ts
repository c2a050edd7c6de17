import type { PayerPayload, SubscriptionItemPayload } from '../payloads.ts'
import { defineResource, id, integer, json, text, time } from '../resource.ts'

export const paymentAttempts = defineResource({
  table: 'payment_attempts',
  description: 'Attempts to collect a payment.',
  events: { 'paymentAttempt.created': 'upsert', 'paymentAttempt.updated': 'upsert' },
  columns: {
    status: text(),
    charge_type: text(),
    amount: integer('totals.grand_total.amount'),
    currency: text('totals.grand_total.currency'),
    billing_date: time(),
    paid_at: time(),
    failed_at: time(),
    payment_id: id(),
    invoice_id: id(),
    statement_id: id(),
    gateway_external_id: id(),
    payer_id: id(['payer_id', 'payer.id']),
    payer_user_id: id('payer.user_id'),
    payer_organization_id: id('payer.organization_id'),
    failed_reason: json(),
    totals: json(),
    payer: json<PayerPayload>(),
    payee: json(),
    // The webhook's name, then the Backend API's.
    payment_source: json(['payment_source', 'payment_method']),
    // As they were when paid: history, so they never touch `subscription_items`. Only events tell them.
    subscription_items: json<SubscriptionItemPayload[]>(),
  },
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
