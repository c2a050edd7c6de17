/** Histories of simulated Clerks, and tables to replay them into. */

import { CATALOGUE, CHILD_SETS } from '../../src/clerk/catalogue.ts'
import type { ClerkEvent, ClerkSync, Receipt } from '../../src/index.ts'
import {
  createSimulatedClerk,
  type SignedDelivery,
  type SimulatedClerk,
  signDelivery,
} from '../../src/testing/index.ts'
import type { Random } from '../../src/testing/random.ts'
import { SECRET } from '../support/databases.ts'

export interface History {
  readonly clerk: SimulatedClerk
  readonly events: readonly ClerkEvent[]
}

export function liveThrough(seed: number, actions: number): History {
  const clerk = createSimulatedClerk({ seed })
  const events = Array.from({ length: actions }, () => clerk.act()).flat()
  return { clerk, events }
}

export function signAll(events: readonly ClerkEvent[]): SignedDelivery[] {
  return events.map((event) => signDelivery(event, { secret: SECRET }))
}

/** Delivers in the given order, some at a time, each to any of the servers. */
export async function deliverAll(
  servers: readonly ClerkSync[],
  deliveries: readonly SignedDelivery[],
  random: Random,
): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  while (receipts.length < deliveries.length) {
    const together = deliveries.slice(receipts.length, receipts.length + random.integer(1, 20))
    const taken = together.map(({ body, headers }) => random.pick(servers).receive(body, headers))
    receipts.push(...(await Promise.all(taken)))
  }
  return receipts
}

/** As after `migrate`, maybe but for the ledger. */
export async function empty({ database }: ClerkSync, { keepEvents = false } = {}): Promise<void> {
  const mirrored = [...Object.keys(CATALOGUE), ...Object.keys(CHILD_SETS), 'tombstones']
  for (const table of keepEvents ? mirrored : [...mirrored, 'events', 'event_bodies', 'event_changes']) {
    await database.deleteFrom(table as 'events').execute()
  }
}
