/** Subscriptions of users and organizations. */

import type { EventType, PayerPayload, SubscriptionPayload } from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import type { Instance } from './instance.ts'
import { createOrganization } from './organizations.ts'
import { organizationPayer, userPayer } from './payers.ts'
import { addItem, changeItem, itemsOf, itemsWithin } from './subscription-items.ts'
import { createUser } from './users.ts'

function subscribe(
  instance: Instance,
  payer: PayerPayload,
  item: { status: 'incomplete' | 'active'; is_free_trial?: boolean } = { status: 'incomplete' },
): void {
  const identity = { object: 'commerce_subscription', id: instance.newId('csub') }
  const subscription = instance.add('subscriptions', identity, {
    status: item.status,
    active_at: item.status === 'active' ? instance.now : null,
    canceled_at: null,
    ended_at: null,
    past_due_at: null,
    latest_payment_id: null,
    payer_id: payer.id,
    payer,
    payment_source_id: instance.newId('cps'),
    items: [],
  })
  instance.send('subscriptionItem.created', addItem(instance, subscription, item))
  change(instance, subscription, 'subscription.created', {})
}

type SubscriptionEvent = Extract<EventType, `subscription.${string}`>

/** A subscription shows its items as they were when it was last sent. */
function change(
  instance: Instance,
  subscription: SubscriptionPayload,
  type: SubscriptionEvent,
  changes: Partial<SubscriptionPayload>,
): void {
  const items = itemsWithin(instance, subscription)
  instance.send(type, instance.update('subscriptions', subscription, { ...changes, items }))
}

/** A payer has one subscription, which changes its plans. */
function isUnsubscribed({ id }: { id: string }, instance: Instance): boolean {
  return instance.ownedBy('subscriptions', id).length === 0
}

export const subscribeUser = actionOn('users', {
  weight: 4,
  suits: isUnsubscribed,
  otherwise: createUser,
  run: (instance, user) => subscribe(instance, userPayer(instance, user)),
})

export const subscribeOrganization = actionOn('organizations', {
  weight: 2,
  suits: isUnsubscribed,
  otherwise: createOrganization,
  run: (instance, organization) => subscribe(instance, organizationPayer(instance, organization)),
})

export const startTrial = actionOn('users', {
  weight: 1,
  suits: isUnsubscribed,
  otherwise: createUser,
  run: (instance, user) => {
    subscribe(instance, userPayer(instance, user), { status: 'active', is_free_trial: true })
  },
})

/** What waited in it becomes active with it. */
export const activateSubscription = actionOn('subscriptions', {
  weight: 4,
  suits: ({ status }) => status !== 'active',
  otherwise: subscribeUser,
  run: (instance, subscription) => {
    for (const item of itemsOf(instance, subscription, 'incomplete')) {
      changeItem(instance, item, 'subscriptionItem.active', { status: 'active' })
    }
    const latest_payment_id = instance.newId('cpa')
    const changes = { status: 'active', active_at: instance.now, canceled_at: null, past_due_at: null }
    change(instance, subscription, 'subscription.active', { ...changes, latest_payment_id })
  },
})

export const letSubscriptionPastDue = actionOn('subscriptions', {
  weight: 2,
  suits: ({ status }) => status === 'active',
  otherwise: startTrial,
  run: (instance, subscription) => {
    const changes = { status: 'past_due', past_due_at: instance.now }
    change(instance, subscription, 'subscription.pastDue', changes)
  },
})

/** What runs in it runs until the end of its period. */
export const cancelSubscription = actionOn('subscriptions', {
  weight: 2,
  suits: ({ status }) => status === 'active',
  otherwise: startTrial,
  run: (instance, subscription) => {
    cancelItems(instance, subscription)
    const changes = { status: 'canceled', canceled_at: instance.now }
    change(instance, subscription, 'subscription.updated', changes)
  },
})

function cancelItems(instance: Instance, subscription: SubscriptionPayload): void {
  for (const item of itemsOf(instance, subscription, 'active')) {
    changeItem(instance, item, 'subscriptionItem.canceled', { status: 'canceled' })
  }
}

export const changePaymentSource = actionOn('subscriptions', {
  weight: 2,
  otherwise: subscribeUser,
  run: (instance, subscription) => {
    const changes = { payment_source_id: instance.newId('cps') }
    change(instance, subscription, 'subscription.updated', changes)
  },
})

/** The old plan runs until the end of its period, the new one waits for it. */
export const changePlan = actionOn('subscriptions', {
  weight: 3,
  otherwise: subscribeUser,
  run: (instance, subscription) => {
    cancelItems(instance, subscription)
    instance.send('subscriptionItem.upcoming', addItem(instance, subscription, { status: 'upcoming' }))
    change(instance, subscription, 'subscription.updated', {})
  },
})
