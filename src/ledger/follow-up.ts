/** What follows from recording an event. The ledger calls it; who does something about events implements it. */

import type { Transaction } from 'kysely'
import type { ClerkTables } from '../database/tables.ts'

/** An event that was recorded now, for the first time, and is not parked. */
export interface RecordedEvent {
  readonly eventId: string
  readonly type: string
  readonly resourceId: string | null
  readonly occurredAt: Date
}

export interface FollowUp {
  /** Whether anything follows from events of this type: then their secrets are kept until it is done. */
  wants(type: string): boolean
  /** In the transaction that records them. It may be rolled back, and the same events come again. */
  recorded(trx: Transaction<ClerkTables>, events: readonly RecordedEvent[]): Promise<void>
  /** Once the transaction is committed. */
  committed(trx: Transaction<ClerkTables>): void
}
