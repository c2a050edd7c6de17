/** What the ledger keeps of an event. */

import type { ClerkSync } from '../../src/index.ts'
import { type EventDetails, getEvent } from '../../src/inspect/events.ts'

/** One event, with its body and its changes. */
export function eventIn(sync: ClerkSync, id: string): Promise<EventDetails> {
  return getEvent({ database: sync.database, schema: sync.location.schema }, id)
}

/** The body with its one-time codes and tickets; empty once they were forgotten. */
export async function secretBodyIn(sync: ClerkSync, id: string): Promise<string> {
  const event = sync.database.selectFrom('events').select('secret_body').where('id', '=', id)
  const { secret_body } = await event.executeTakeFirstOrThrow()
  return Buffer.from(secret_body ?? '').toString()
}

/** As retention does. */
export async function forgetBody(sync: ClerkSync, id: string): Promise<void> {
  await sync.database.deleteFrom('event_bodies').where('event_id', '=', id).execute()
}
