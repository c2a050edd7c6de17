/** Deliveries as Svix makes them, signed by the real `svix` package. */

import { Webhook } from 'svix'
import type { ClerkEvent, ClerkSync, EventType, Receipt } from '../../src/index.ts'
import { sampleEvent } from '../../src/testing/samples.ts'
import { SECRET } from './databases.ts'

let made = 0

export interface SignOptions {
  id?: string
  secret?: string
  at?: Date
}

export interface SignedRequest {
  readonly id: string
  readonly headers: Record<string, string>
  readonly body: string
}

export function sign(
  event: unknown,
  { id, secret = SECRET, at = new Date() }: SignOptions = {},
): SignedRequest {
  const svixId = id ?? `msg_test${(made++).toString(36).padStart(8, '0')}`
  const body = typeof event === 'string' ? event : JSON.stringify(event)
  const headers = {
    'svix-id': svixId,
    'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
    'svix-signature': new Webhook(secret).sign(svixId, at, body),
  }
  return { id: svixId, headers, body }
}

/** Signs an event and gives it to a sync. */
export function deliver(sync: ClerkSync, event: unknown, options?: SignOptions): Promise<Receipt> {
  const { body, headers } = sign(event, options)
  return sync.receive(body, headers)
}

/** A sample event of a type, with changes to its data and its time. */
export function eventOf(type: EventType, data: object = {}, timestamp?: number): ClerkEvent {
  const event = sampleEvent(type)
  return { ...event, timestamp: timestamp ?? Number(event.timestamp), data: { ...event.data, ...data } }
}
