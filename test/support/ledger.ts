/** What the ledger keeps of an event. */

import type { ClerkSync } from '../../src/index.ts'
import { type EventDetails, getEvent } from '../../src/inspect/events.ts'

/** One event, with its body and its changes. */
export function eventIn(sync: ClerkSync, id: string): Promise<EventDetails> {
  return getEvent({ database: sync.database, schema: sync.location.schema }, id)
}

/** As retention does. */
export async function forgetBody(sync: ClerkSync, id: string): Promise<void> {
  await sync.database.deleteFrom('event_bodies').where('event_id', '=', id).execute()
}
