/** One event of every type, in the shapes that Clerk sends. */

import type { ClerkEvent } from '../clerk/event.ts'
import type { EventType } from '../clerk/payloads.ts'
import samples from './sample-events.json' with { type: 'json' }

/**
 * A sample event of a type, yours to change.
 *
 * @example
 * const event = sampleEvent('user.created')
 * event.data.first_name = 'Ada'
 */
export function sampleEvent<Type extends EventType>(type: Type): ClerkEvent<Type> {
  return structuredClone((samples as unknown as Record<Type, ClerkEvent<Type>>)[type])
}
