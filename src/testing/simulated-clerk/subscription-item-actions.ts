/** Items of subscriptions move from status to status. */

import { type Action, actionOn } from './action.ts'
import { changeItem, type ItemEvent } from './subscription-items.ts'
import { changePlan, startTrial, subscribeUser } from './subscriptions.ts'

/** What brings about an item of a status. */
const SOURCES: Readonly<Record<string, Action>> = {
  incomplete: subscribeUser,
  active: startTrial,
  upcoming: changePlan,
}

/** An action that takes an item from one of some statuses to another. */
function step(weight: number, from: readonly string[], type: ItemEvent, to: string): Action {
  return actionOn('subscription_items', {
    weight,
    suits: ({ status = '' }) => from.includes(status),
    otherwise: SOURCES[from[0] as string] as Action,
    run: (instance, item) => changeItem(instance, item, type, { status: to }),
  })
}

export const activateItem = step(2, ['upcoming', 'past_due'], 'subscriptionItem.active', 'active')
export const holdItem = step(1, ['upcoming'], 'subscriptionItem.incomplete', 'incomplete')
export const abandonItem = step(1, ['incomplete'], 'subscriptionItem.abandoned', 'abandoned')
export const cancelItem = step(2, ['active'], 'subscriptionItem.canceled', 'canceled')
export const letItemPastDue = step(2, ['active'], 'subscriptionItem.pastDue', 'past_due')
export const endItem = step(2, ['active', 'canceled'], 'subscriptionItem.ended', 'ended')

export const changeSeats = actionOn('subscription_items', {
  weight: 2,
  otherwise: subscribeUser,
  run: (instance, item) => {
    const seats = { quantity: instance.random.integer(1, 99) }
    changeItem(instance, item, 'subscriptionItem.updated', { seats })
  },
})

export const announceTrialEnd = actionOn('subscription_items', {
  weight: 1,
  suits: ({ status, is_free_trial = false }) => status === 'active' && is_free_trial,
  otherwise: startTrial,
  run: (instance, item) => changeItem(instance, item, 'subscriptionItem.freeTrialEnding', {}),
})
