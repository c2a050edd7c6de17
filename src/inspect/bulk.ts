/** What an action on many would touch: counted before anything is done. */

import { SECRETS_FORGOTTEN } from '../database/secrets.ts'
import { type EventConditions, eventsMeant } from './event-list.ts'
import type { Quantity, RunState, Time } from './model.ts'
import { counted } from './quantity.ts'
import { literal, Parameters, type Reading, toTime } from './reading.ts'

/** Exact up to here: who changes more than that needs no last digit. */
const BULK_LIMIT = 100_000

export interface BulkTotals {
  readonly count: Quantity
  readonly firstAt: Time | null
  readonly lastAt: Time | null
  /** How many are runs whose events have lost their codes and links. */
  readonly secretsForgotten: Quantity
  /** The moment of counting. */
  readonly until: Time
}

interface TotalsRow {
  readonly count: number
  readonly first_at: Date | null
  readonly last_at: Date | null
  readonly forgotten: number
  readonly now: Date
}

export function countEventsFor(reading: Reading, conditions: EventConditions): Promise<BulkTotals> {
  const { text, values } = eventsMeant(reading, conditions, BULK_LIMIT + 1)
  return totalsOf(reading, `select at, false as is_forgotten from (${text}) as event`, values)
}

export interface RunConditions {
  readonly handlers?: readonly string[] | undefined
  readonly fingerprints?: readonly string[] | undefined
  readonly statuses?: readonly RunState[] | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
}

export function countRunsFor(reading: Reading, conditions: RunConditions): Promise<BulkTotals> {
  const { handlers, fingerprints, statuses = ['retrying', 'dead'], since, until } = conditions
  const parameters = new Parameters()
  const where = [
    `status in (${statuses.map(literal)})`,
    statuses.every((status) => status === 'retrying' || status === 'dead') && 'fingerprint is not null',
    handlers && `handler = any(${parameters.add(handlers)}::text[])`,
    fingerprints && `fingerprint = any(${parameters.add(fingerprints)}::text[])`,
    since && `created_at >= ${parameters.add(since)}`,
    until && `created_at < ${parameters.add(until)}`,
  ].filter(Boolean)
  const text = `
    select created_at as at, exists (
      select from ${reading.table('events')} as event where event.id = run.event_id and ${SECRETS_FORGOTTEN}
    ) as is_forgotten
    from ${reading.table('handler_runs')} as run where ${where.join(' and ')}`
  return totalsOf(reading, `${text} limit ${BULK_LIMIT + 1}`, parameters.values)
}

async function totalsOf(reading: Reading, text: string, values: readonly unknown[]): Promise<BulkTotals> {
  const [row] = await reading.query<TotalsRow>(
    `select count(*)::integer as count, min(at) as first_at, max(at) as last_at,
       count(*) filter (where is_forgotten)::integer as forgotten, clock_timestamp() as now
     from (${text}) as meant`,
    values,
  )
  const { count, first_at, last_at, forgotten, now } = row as TotalsRow
  return {
    count: counted(count, BULK_LIMIT),
    firstAt: toTime(first_at),
    lastAt: toTime(last_at),
    secretsForgotten: counted(forgotten, BULK_LIMIT),
    until: toTime(now),
  }
}
