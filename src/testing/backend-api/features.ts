/** Features that a team can switch off in Clerk, and how their endpoints answer then. */

import { notFound, Refusal } from './answers.ts'

/** What can be switched off. */
export type ClerkFeature =
  | 'organizations'
  | 'billing'
  | 'waitlist'
  | 'restrictions'
  | 'enterprise_connections'
  | 'domains'

/** `payment_required`: 402; `not_enabled`: 403 with a code that ends so; `not_found`: 404. Clerk does all three. */
export type FeatureRefusal = 'payment_required' | 'not_enabled' | 'not_found'

export function featureIsOff(feature: ClerkFeature, how: FeatureRefusal): Refusal {
  const message = `The ${feature} feature is not enabled for this instance.`
  if (how === 'not_found') return notFound(message)
  if (how === 'payment_required') {
    return new Refusal(402, 'unsupported_subscription_plan_features', 'Unsupported plan features', message)
  }
  const code = feature === 'organizations' ? 'organization_not_enabled_in_instance' : `${feature}_not_enabled`
  return new Refusal(403, code, 'access denied', message)
}
