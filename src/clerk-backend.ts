/**
 * Events with the types of `@clerk/backend`, for code that was written with those.
 *
 * @module clerk-sync/clerk-backend
 */

import type { WebhookEvent } from '@clerk/backend'
import type { ClerkEvent, EventType } from './index.ts'

/** The event types that `@clerk/backend` has a payload for. */
export type SharedEventType = Extract<WebhookEvent['type'], EventType>

/** The member of Clerk's union for a type. */
export type WebhookEventOf<Type extends SharedEventType> = MemberFor<WebhookEvent, Type>

type MemberFor<Event, Type> = Event extends { type: infer Types }
  ? Type extends Types
    ? Event & { type: Type }
    : never
  : never

/**
 * The same event as `@clerk/backend` types it. Nothing is changed or checked: some of Clerk's types promise fields that
 * Clerk does not send. docs/clerk.md lists them.
 *
 * @example
 * on('user.created', ({ event }) => saveUser(toWebhookEvent(event).data), { name: 'save user' })
 */
export function toWebhookEvent<Type extends SharedEventType>(event: ClerkEvent<Type>): WebhookEventOf<Type> {
  return event as unknown as WebhookEventOf<Type>
}
