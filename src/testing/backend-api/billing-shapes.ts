/**
 * Billing as the Backend API shows it, which is not how events do: other names, other plans, other money. Since version
 * 2025-11-10 it has null where events have an empty string.
 */

import type {
  PayerPayload,
  Payload,
  PaymentAttemptPayload,
  SubscriptionItemPayload,
  SubscriptionPayload,
} from '../../clerk/payloads.ts'
import { money } from '../simulated-clerk/payments.ts'
import { currentItems } from '../simulated-clerk/subscription-items.ts'
import type { Call } from './lists.ts'

/** To whom, and of what. */
type Shown = Pick<Call, 'clerk' | 'apiVersion'>

const NULLS_SINCE = '2025-11-10'

function showPayer({ apiVersion = '', clerk }: Shown, payer: PayerPayload | undefined): Payload {
  const entries = Object.entries({ ...payer, instance_id: clerk.instanceId })
  return apiVersion < NULLS_SINCE
    ? Object.fromEntries(entries)
    : Object.fromEntries(entries.map(([name, value]) => [name, value === '' ? null : value]))
}

export function showPlan({ id, slug, name, amount, currency, is_recurring }: Payload): Payload {
  const [monthly, code] = [Number(amount), String(currency)]
  return {
    object: 'commerce_plan',
    id,
    name,
    fee: money(monthly, code),
    annual_monthly_fee: money(Math.round(monthly * 0.8), code),
    annual_fee: money(Math.round(monthly * 0.8) * 12, code),
    description: null,
    product_id: 'cprod_simulated',
    is_default: monthly === 0,
    is_recurring,
    publicly_visible: true,
    has_base_fee: monthly > 0,
    for_payer_type: slug === 'team' ? 'org' : 'user',
    slug,
    avatar_url: null,
    features: featuresOf(String(slug)),
    free_trial_enabled: false,
    free_trial_days: null,
  }
}

/** The same feature may be of several plans. */
function featuresOf(slug: string): Payload[] {
  const slugs = slug === 'free' ? ['support'] : ['support', 'analytics']
  return slugs.map((each) => ({
    object: 'feature',
    id: `feat_${each.padEnd(27, '0')}`,
    name: each,
    description: null,
    slug: each,
    avatar_url: null,
  }))
}

export function showPrice({ clerk }: Pick<Call, 'clerk'>, plan: Payload): Payload {
  const { id, fee, annual_monthly_fee } = showPlan(plan)
  const { amount, currency, currency_symbol } = money(Number(plan.amount), String(plan.currency))
  return {
    object: 'commerce_price',
    id: priceIdOf(plan),
    plan_id: id,
    instance_id: clerk.instanceId,
    currency,
    currency_symbol,
    amount,
    annual_monthly_amount: Math.round(Number(amount) * 0.8),
    fee,
    annual_monthly_fee,
    description: null,
    is_default: true,
    created_at: PRICED_AT,
    supported_billing_periods: 'both',
  }
}

const PRICED_AT = 1_700_000_000_000

function priceIdOf({ id }: Payload): string {
  return String(id).replace('cplan_', 'cprice_')
}

/** It names no subscription. */
export function showItem(call: Shown, item: SubscriptionItemPayload): Payload {
  const plan: Payload = { ...item.plan }
  const fee = money(Number(plan.amount), String(plan.currency))
  const since = (status: string) => (item.status === status ? item.updated_at : null)
  return {
    object: 'commerce_subscription_item',
    id: item.id,
    instance_id: call.clerk.instanceId,
    status: item.status,
    plan_id: item.plan_id,
    price_id: priceIdOf(plan),
    plan: showPlan(plan),
    plan_period: item.interval,
    lifetime_paid: money(0, String(plan.currency)),
    next_payment: item.period_end ? { amount: fee, date: item.period_end } : null,
    payer_id: item.payer?.id,
    payer: showPayer(call, item.payer),
    is_free_trial: item.is_free_trial,
    period_start: item.period_start,
    period_end: item.period_end,
    proration_date: '',
    canceled_at: since('canceled'),
    past_due_at: since('past_due'),
    ended_at: since('ended'),
    created_at: item.created_at,
    updated_at: item.updated_at,
    seats: item.seats,
    totals: { subtotal: fee, base_fee: fee, tax_total: money(0, String(plan.currency)), grand_total: fee },
  }
}

/** Only its items tell who pays. */
export function showSubscription(call: Shown, subscription: SubscriptionPayload): Payload {
  const items = currentItems(call.clerk, subscription)
  const [next] = items.filter(({ period_end }) => period_end)
  return {
    object: 'commerce_subscription',
    id: subscription.id,
    instance_id: call.clerk.instanceId,
    status: subscription.status,
    payer_id: subscription.payer_id,
    created_at: subscription.created_at,
    updated_at: subscription.updated_at,
    active_at: subscription.active_at,
    past_due_at: subscription.past_due_at,
    subscription_items: items.map((item) => showItem(call, item)),
    ...(next && {
      next_payment: {
        date: next.period_end,
        amount: money(Number(next.plan?.amount), String(next.plan?.currency)),
      },
    }),
    eligible_for_free_trial: false,
  }
}

export function showPaymentAttempt(call: Shown, attempt: PaymentAttemptPayload): Payload {
  const [item] = attempt.subscription_items ?? []
  const total = attempt.totals?.grand_total as Payload | undefined
  return {
    object: 'commerce_payment',
    id: attempt.id,
    payment_id: attempt.payment_id,
    instance_id: attempt.instance_id,
    charge_type: attempt.charge_type,
    payee_id: attempt.payee?.id,
    payee: attempt.payee,
    payer_id: attempt.payer?.id,
    payer: showPayer(call, attempt.payer),
    ...(item && { subscription_item_id: item.id, subscription_item: showItem(call, item) }),
    amount: total,
    totals: { ...attempt.totals, base_fee: total },
    payment_method_id: attempt.payment_source?.id,
    payment_method: showPaymentMethod(attempt),
    statement_id: attempt.statement_id,
    gateway_external_id: attempt.gateway_external_id,
    gateway_external_url: null,
    status: attempt.status,
    paid_at: attempt.paid_at,
    failed_at: attempt.failed_at,
    created_at: attempt.created_at,
    updated_at: attempt.updated_at,
  }
}

function showPaymentMethod({ payment_source, payer }: PaymentAttemptPayload): Payload {
  const { payment_method, ...rest } = payment_source ?? {}
  const kind = { object: 'commerce_payment_method', payer_id: payer?.id, payment_type: payment_method }
  return { ...kind, ...rest, wallet_type: null, is_default: true }
}

/** The simulated Clerk makes a statement for each payment. */
export function showStatement(call: Shown, attempt: PaymentAttemptPayload): Payload {
  const { grand_total, subtotal, tax_total } = attempt.totals ?? {}
  return {
    object: 'commerce_statement',
    id: attempt.statement_id,
    instance_id: attempt.instance_id,
    timestamp: attempt.billing_date,
    payer: showPayer(call, attempt.payer),
    status: attempt.status === 'pending' ? 'open' : 'closed',
    totals: { grand_total, subtotal, base_fee: subtotal, tax_total },
    groups: [
      {
        object: 'commerce_statement_group',
        timestamp: attempt.created_at,
        items: [showPaymentAttempt(call, attempt)],
      },
    ],
  }
}
