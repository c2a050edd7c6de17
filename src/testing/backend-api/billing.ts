/** Billing. There is no list of subscriptions, and payments are found below their statements only. */

import type { Payload, PaymentAttemptPayload, SubscriptionItemPayload } from '../../clerk/payloads.ts'
import { PLANS } from '../simulated-clerk/subscription-items.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, notFound, ok, Refusal } from './answers.ts'
import {
  showItem,
  showPaymentAttempt,
  showPlan,
  showPrice,
  showStatement,
  showSubscription,
} from './billing-shapes.ts'
import { contains, equals, oneOf } from './filters.ts'
import { type Call, list } from './lists.ts'
import { requireOrganization } from './organizations.ts'
import { requireUser } from './users.ts'

const ITEM_STATUSES = ['active', 'ended', 'past_due', 'upcoming', 'free_trial']

/** Items of free plans come only if asked for. */
export function listSubscriptionItems(call: Call): Answer {
  const { clerk, query } = call
  const items = [...clerk.resources('subscription_items').values()]
  return list<SubscriptionItemPayload>(call, {
    rows: query.get('include_free') === 'true' ? items : items.filter(({ plan }) => plan?.amount !== 0),
    filters: {
      status: oneOf(ITEM_STATUSES, ({ status, is_free_trial }) =>
        status === 'active' && is_free_trial ? 'free_trial' : status,
      ),
      payer_type: oneOf(['user', 'org'], ({ payer }) => (payer?.organization_id ? 'org' : 'user')),
      plan_id: equals(({ plan_id }) => plan_id),
      query: contains(({ id, plan, payer }) => [id, plan?.name, payer?.email, payer?.organization_name]),
    },
    show: (item) => showItem(call, item),
  })
}

export function getSubscriptionOfUser(call: Call): Answer {
  const [id = ''] = call.ids
  requireUser(call.clerk, id)
  return subscriptionOf(call, id)
}

export function getSubscriptionOfOrganization(call: Call): Answer {
  const [id = ''] = call.ids
  requireOrganization(call.clerk, id)
  return subscriptionOf(call, id)
}

function subscriptionOf(call: Call, payerOwnerId: string): Answer {
  const [subscription] = call.clerk.ownedBy('subscriptions', payerOwnerId)
  if (subscription) return ok(showSubscription(call, subscription))
  throw notFound(`No subscription was found for ${payerOwnerId}.`)
}

export function listPlans(call: Call): Answer {
  return list<Payload>(call, {
    rows: PLANS,
    filters: { payer_type: oneOf(['user', 'org'], (plan) => showPlan(plan).for_payer_type) },
    show: showPlan,
  })
}

export function listPrices(call: Call): Answer {
  return list<Payload>(call, {
    rows: PLANS,
    filters: { plan_id: equals(({ id }) => id) },
    show: (plan) => showPrice(call, plan),
  })
}

export function listStatements(call: Call): Answer {
  return list<PaymentAttemptPayload>(call, {
    rows: attemptsOf(call.clerk),
    show: (attempt) => showStatement(call, attempt),
  })
}

export function getStatement(call: Call): Answer {
  return ok(showStatement(call, requireAttempt(call)))
}

export function listPaymentAttempts(call: Call): Answer {
  return list<PaymentAttemptPayload>(call, {
    rows: [requireAttempt(call)],
    show: (attempt) => showPaymentAttempt(call, attempt),
  })
}

function requireAttempt({ clerk, ids: [statementId] }: Call): PaymentAttemptPayload {
  const attempt = attemptsOf(clerk).find(({ statement_id }) => statement_id === statementId)
  if (attempt) return attempt
  throw notFound(`No statement was found with id ${statementId}.`)
}

function attemptsOf(clerk: SimulatedClerk): PaymentAttemptPayload[] {
  return [...clerk.resources('payment_attempts').values()]
}

/** Where billing was before version 2025-11-10. */
export function movedToBilling(): Answer {
  const message = 'This endpoint is not available in this API version. Use /v1/billing instead.'
  throw new Refusal(400, 'api_version_invalid', 'Invalid API version', message)
}
