/** The items of subscriptions: each is a plan, and moves from status to status. */

import type {
  EventType,
  SubscriptionItemPayload,
  SubscriptionItemPlanPayload,
  SubscriptionPayload,
} from '../../clerk/payloads.ts'
import type { Instance } from './instance.ts'

const MONTH = 2_678_400_000

export const PLANS: readonly SubscriptionItemPlanPayload[] = [
  plan('free', 'Free', 0, 'USD'),
  plan('pro', 'Pro', 2_000, 'USD'),
  plan('team', 'Team', 9_900, 'EUR'),
]

function plan(slug: string, name: string, amount: number, currency: string): SubscriptionItemPlanPayload {
  return { id: `cplan_${slug.padEnd(27, '0')}`, slug, name, is_recurring: true, amount, currency }
}

/** The payer comes last: Clerk leaves it out of a subscription's items, and code that restores it appends it. */
export function addItem(
  instance: Instance,
  { id, payer }: SubscriptionPayload,
  fields: Partial<SubscriptionItemPayload>,
): SubscriptionItemPayload {
  const { random } = instance
  const plan = random.pick(PLANS)
  const identity = { object: 'commerce_subscription_item', id: instance.newId('csub_item') }
  return instance.add('subscription_items', identity, {
    is_free_trial: false,
    period_start: instance.now,
    period_end: random.pick([instance.now + MONTH, null]),
    interval: random.pick(['month', 'annual']),
    plan_id: plan.id,
    plan,
    subscription_id: id,
    seats: { quantity: random.pick([null, 5]) },
    ...fields,
    ...(payer && { payer }),
  })
}

export type ItemEvent = Extract<EventType, `subscriptionItem.${string}`>

export function changeItem(
  instance: Instance,
  item: SubscriptionItemPayload,
  type: ItemEvent,
  changes: Partial<SubscriptionItemPayload>,
): void {
  instance.send(type, instance.update('subscription_items', item, changes))
}

export function itemsOf(
  instance: Instance,
  { id }: SubscriptionPayload,
  status: string,
): SubscriptionItemPayload[] {
  return instance.tables.subscription_items.ownedBy(id).filter((item) => item.status === status)
}

/** The items as a subscription shows them in events: without what they share with it. */
export function itemsWithin(
  instance: Instance,
  subscription: SubscriptionPayload,
): SubscriptionItemPayload[] {
  return currentItems(instance, subscription).map(shownWithin)
}

/** The items of a subscription that are not over. */
export function currentItems(
  owners: Pick<Instance, 'ownedBy'>,
  { id }: SubscriptionPayload,
): SubscriptionItemPayload[] {
  const items = owners.ownedBy('subscription_items', id)
  return items.filter(({ status }) => status !== 'ended' && status !== 'abandoned')
}

function shownWithin({ payer, ...item }: SubscriptionItemPayload): SubscriptionItemPayload {
  return { ...item, subscription_id: null } as SubscriptionItemPayload
}
