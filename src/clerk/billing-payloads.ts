/** The payloads of billing events, which differ from what the Backend API shows of the same resources. */

import type { Milliseconds, Part, Payload, Resource } from './payload-parts.ts'

export type PayerPayload = Part & {
  instance_id?: string
  /** `""` for an organization's payer. */
  user_id?: string
  first_name?: string
  last_name?: string
  email: string
  /** `""` for a user's payer. */
  organization_id?: string
  organization_name?: string
  image_url: string
}

export type AmountPayload = {
  amount: number
  amount_formatted: string
  currency: string
  currency_symbol: string
}

/** The plan inside an item: Clerk's `plans` have more. */
export type SubscriptionItemPlanPayload = {
  id: string
  slug: string
  name: string
  is_recurring: boolean
  /** In the currency's smallest unit. */
  amount: number
  currency: string
  unit_prices?: Payload[]
  instance_id?: string
  product_id?: string
  description?: string
  is_default?: boolean
  period?: string
  interval?: number
  has_base_fee?: boolean
  annual_monthly_amount?: number
  publicly_visible?: boolean
}

export type CreditPayload = {
  amount: AmountPayload
  cycle_days_remaining: number
  cycle_days_total: number
  cycle_remaining_percent: number
}

export type SubscriptionItemPayload = Part & {
  status: string
  is_free_trial?: boolean
  period_start: Milliseconds
  period_end?: Milliseconds | null
  interval?: string
  plan_period?: string
  plan_id?: string | null
  plan?: SubscriptionItemPlanPayload | null
  payer?: PayerPayload
  /** `null` inside a subscription's `items`. */
  subscription_id?: string | null
  seats?: { quantity: number | null }
  credit?: CreditPayload
  credits?: { proration?: CreditPayload | null; payer?: Payload | null; total: AmountPayload } | null
  proration_date?: string
  canceled_at?: Milliseconds
  past_due_at?: Milliseconds
  lifetime_paid?: number
  next_payment_amount?: number
  next_payment_date?: number
  amount?: AmountPayload
}

export type SubscriptionPayload = Resource & {
  object: 'commerce_subscription'
  status: string
  active_at?: Milliseconds | null
  canceled_at?: Milliseconds | null
  ended_at?: Milliseconds | null
  past_due_at?: Milliseconds | null
  latest_payment_id: string | null
  payer_id: string
  payer: PayerPayload
  payment_source_id: string | null
  items: SubscriptionItemPayload[]
}

export type TotalsPayload = {
  subtotal: AmountPayload
  tax_total: AmountPayload
  grand_total: AmountPayload
}

export type PayeePayload = {
  id: string
  gateway_type: string
  gateway_external_id: string
  gateway_status: string
}

export type PaymentSourcePayload = {
  id: string
  gateway: string
  gateway_external_id: string
  gateway_external_account_id?: string | null
  payment_method: string
  status: string
  card_type?: string | null
  last4?: string | null
}

export type PaymentAttemptPayload = Resource & {
  instance_id: string
  payment_id: string
  invoice_id?: string
  statement_id: string
  gateway_external_id: string
  status: string
  paid_at?: Milliseconds | null
  failed_at?: Milliseconds | null
  failed_reason?: { code: string; decline_code: string } | null
  billing_date: Milliseconds
  charge_type: string
  payee: PayeePayload
  payer: PayerPayload
  totals: TotalsPayload
  payment_source: PaymentSourcePayload
  subscription_items: SubscriptionItemPayload[]
}
