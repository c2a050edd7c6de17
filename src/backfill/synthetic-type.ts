/** The event type for a difference that a sweep found: the one that Clerk should have sent. */

import type { Observation } from '../ingest/observation.ts'
import type { DriftKind } from './compare.ts'

/** Undefined if Clerk has no such event. */
export function syntheticTypeFor(kind: DriftKind, { resource, state }: Observation): string | undefined {
  const types = Object.keys(resource.events)
  const named = (action: string) => types.find((type) => type.endsWith(`.${action}`))
  if (kind === 'missing') return named('created')
  if (kind === 'extra') return named('deleted')
  // Some changes have no event of their own name, only one of the status that they led to.
  return kind === 'stale' ? (named('updated') ?? named(String(state?.data.status))) : undefined
}
