/** Applies recorded events again: after a fix, or after an upgrade that knows a new type. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import { type Delivery, readContent } from '../clerk/event.ts'
import { timeAfterNow } from '../database/clock.ts'
import type { Database } from '../database/database.ts'
import { readParts } from '../database/event-parts.ts'
import { available } from '../database/failure.ts'
import { all, type EventFilter, eventConditions } from '../database/filter.ts'
import type { ClerkTables, Outcome } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import { requireDates, requireNumber } from '../validate.ts'
import type { RecordedDelivery } from './entry.ts'
import type { Receipt } from './verdict.ts'

export interface ReplayOptions {
  /** Stops between two batches when aborted. */
  readonly signal?: AbortSignal | undefined
  /**
   * The maximum number of events per second.
   * @default as fast as they can be applied
   */
  readonly perSecond?: number | undefined
  /** Called for every replayed event. */
  readonly onReceipt?: ((receipt: Receipt) => void) | undefined
  /** Called for every event that cannot be replayed because its body was deleted, with `body_gone` and its remedy. */
  readonly onBodyGone?: ((error: ClerkSyncError, eventId: string) => void) | undefined
  /** Called after every batch: all events received before this time are done. */
  readonly onBatch?: ((doneUntil: Date) => void) | undefined
}

export interface ReplayResult {
  /** How many events the filter matched. */
  readonly matched: number
  readonly applied: number
  readonly stale: number
  readonly ignored: number
  readonly parked: number
  readonly failed: number
  /** Events whose body is no longer kept. */
  readonly withoutBody: number
}

/** Large enough for efficient transactions, small enough not to delay deliveries. */
const BATCH_SIZE = 100

/**
 * Replays in the order of receipt, in batches; events that arrive meanwhile are not included.
 * @throws {ClerkSyncError} `database_…`; what was replayed until then stays
 */
export async function replay(
  { queries: database, schema }: Pick<Database, 'queries' | 'schema'>,
  apply: (deliveries: readonly RecordedDelivery[]) => Promise<readonly Receipt[]>,
  filter: EventFilter,
  { signal, perSecond = Number.POSITIVE_INFINITY, onReceipt, onBodyGone, onBatch }: ReplayOptions = {},
): Promise<ReplayResult> {
  requireNumber('perSecond', perSecond, 'rate')
  requireDates({ since: filter.since, until: filter.until })
  const most = Math.max(1, Math.min(BATCH_SIZE, Math.floor(perSecond)))
  const counts = { matched: 0, applied: 0, stale: 0, ignored: 0, parked: 0, failed: 0, withoutBody: 0 }
  const until = filter.until ?? (await available(timeAfterNow(database)))
  let after: Position | undefined
  for (;;) {
    signal?.throwIfAborted()
    const rows = await available(nextRows(database, { ...filter, until }, after, most))
    const bodies = await available(readParts(database, schema, 'event_bodies', rows))
    const deliveries = rows.flatMap((row) => toDelivery(row, bodies.get(row.id)))
    for (const { id } of rows) if (!bodies.has(id)) onBodyGone?.(new ClerkSyncError('body_gone', id), id)
    counts.matched += rows.length
    counts.withoutBody += rows.length - deliveries.length
    for (const receipt of deliveries.length > 0 ? await apply(deliveries) : []) {
      counts[receipt.outcome as Outcome]++
      onReceipt?.(receipt)
    }
    if (rows.length < most) return counts
    after = rows.at(-1) as Position
    onBatch?.(after.received_at)
    // Who stops it meanwhile is heard above.
    await sleep((rows.length / perSecond) * 1_000, undefined, { signal }).catch(() => undefined)
  }
}

interface Position {
  readonly received_at: Date
  readonly id: string
}

interface Row extends Position {
  readonly outcome: Outcome
  readonly occurred_at: Date
}

function nextRows(
  database: Kysely<ClerkTables>,
  filter: EventFilter,
  after: Position | undefined,
  most: number,
): Promise<Row[]> {
  let query = database.selectFrom('events').where(all(eventConditions(filter)))
  if (after) {
    query = query.where((where) =>
      where(where.refTuple('received_at', 'id'), '>', where.tuple(after.received_at, after.id)),
    )
  }
  return query
    .select(['id', 'received_at', 'occurred_at', 'outcome'])
    .orderBy('received_at')
    .orderBy('id')
    .limit(most)
    .execute()
}

/** None if the body is gone. */
function toDelivery(row: Row, rawBody: Uint8Array | undefined): RecordedDelivery[] {
  if (rawBody === undefined) return []
  const delivery: Delivery = {
    svixId: row.id,
    // Stands in for an event without a time, for which it was recorded so.
    attemptedAt: row.occurred_at,
    rawBody,
    ...readContent(rawBody),
  }
  return [{ ...delivery, outcome: row.outcome }]
}
