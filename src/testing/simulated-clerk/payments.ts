/** Attempts to collect a payment: pending, then paid or failed. */

import type {
  AmountPayload,
  PaymentAttemptPayload,
  PaymentSourcePayload,
  SubscriptionItemPayload,
  TotalsPayload,
} from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import type { Instance } from './instance.ts'
import { subscribeUser } from './subscriptions.ts'

export function money(amount: number, currency: string): AmountPayload {
  const currency_symbol = currency === 'EUR' ? '€' : '$'
  return { amount, amount_formatted: (amount / 100).toFixed(2), currency, currency_symbol }
}

function totalsOf(items: readonly SubscriptionItemPayload[]): TotalsPayload {
  const amount = items.reduce((sum, { plan }) => sum + Number(plan?.amount), 0)
  const currency = String(items[0]?.plan?.currency ?? 'USD')
  return {
    subtotal: money(amount, currency),
    tax_total: money(0, currency),
    grand_total: money(amount, currency),
  }
}

/** The item as it was when it was paid for. */
function paidItem({
  is_free_trial: _,
  seats: __,
  ...item
}: SubscriptionItemPayload): SubscriptionItemPayload {
  return { ...item, id: item.id, credits: { proration: null, payer: null, total: money(0, 'USD') } }
}

function newPaymentSource(instance: Instance): PaymentSourcePayload {
  return {
    id: instance.newId('cps'),
    gateway: 'stripe',
    gateway_external_id: `pm_${instance.random.digits(24)}`,
    gateway_external_account_id: null,
    payment_method: 'card',
    status: 'active',
    card_type: 'visa',
    last4: instance.random.digits(4),
  }
}

export const attemptPayment = actionOn('subscriptions', {
  weight: 4,
  otherwise: subscribeUser,
  run: (instance, subscription) => {
    const { random } = instance
    const items = instance.tables.subscription_items.ownedBy(subscription.id)
    const attempt = instance.add(
      'payment_attempts',
      { id: instance.newId('pa') },
      {
        instance_id: instance.id,
        payment_id: instance.newId('cpa'),
        invoice_id: instance.newId('cinv'),
        statement_id: instance.newId('stmt'),
        gateway_external_id: `pi_${random.digits(24)}`,
        status: 'pending',
        paid_at: null,
        failed_at: null,
        failed_reason: null,
        billing_date: instance.now,
        charge_type: random.pick(['checkout', 'recurring']),
        payee: {
          id: 'cpayee_3Acme',
          gateway_type: 'stripe',
          gateway_external_id: 'acct_1',
          gateway_status: 'active',
        },
        ...(subscription.payer && { payer: subscription.payer }),
        totals: totalsOf(items),
        payment_source: newPaymentSource(instance),
        subscription_items: items.map(paidItem),
      },
    )
    instance.send('paymentAttempt.created', attempt)
  },
})

function isPending({ status }: PaymentAttemptPayload): boolean {
  return status === 'pending'
}

export const completePayment = actionOn('payment_attempts', {
  weight: 3,
  suits: isPending,
  otherwise: attemptPayment,
  run: (instance, attempt) => {
    const changes = { status: 'paid', paid_at: instance.now }
    instance.send('paymentAttempt.updated', instance.update('payment_attempts', attempt, changes))
  },
})

export const failPayment = actionOn('payment_attempts', {
  weight: 1,
  suits: isPending,
  otherwise: attemptPayment,
  run: (instance, attempt) => {
    const failed_reason = { code: 'card_declined', decline_code: 'insufficient_funds' }
    const changes = { status: 'failed', failed_at: instance.now, failed_reason }
    instance.send('paymentAttempt.updated', instance.update('payment_attempts', attempt, changes))
  },
})
