/** What an action on many would touch: counted before anything is done. */

import { type RawBuilder, sql } from 'kysely'
import { AFTER_NOW } from '../database/clock.ts'
import { all, hasLostSecrets, type RunFilter, runConditions } from '../database/filter.ts'
import { eventsMeant, type ListFilter } from './event-list.ts'
import type { Quantity, Time } from './model.ts'
import { counted } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'

/** Exact up to here: who changes more than that needs no last digit. */
const BULK_LIMIT = 100_000

export interface BulkTotals {
  readonly count: Quantity
  readonly firstAt: Time | null
  readonly lastAt: Time | null
  /** How many are runs whose events have lost their codes and links. */
  readonly secretsForgotten: Quantity
  /** The moment of counting. As `until` of a filter, it keeps later ones out. */
  readonly until: Time
}

interface TotalsRow {
  readonly count: number
  readonly first_at: Date | null
  readonly last_at: Date | null
  readonly forgotten: number
  readonly now: Date
}

export function countEventsFor(reading: Reading, filter: ListFilter): Promise<BulkTotals> {
  const events = eventsMeant(reading, filter, BULK_LIMIT + 1)
  return totalsOf(reading, sql`select at, false as is_forgotten from (${events}) as event`)
}

export function countRunsFor(reading: Reading, filter: RunFilter): Promise<BulkTotals> {
  const { schema } = reading
  return totalsOf(
    reading,
    sql`select created_at as at, ${hasLostSecrets(schema)} as is_forgotten
      from ${sql.id(schema, 'handler_runs')} as run where ${all(runConditions(filter, schema))}
      limit ${sql.lit(BULK_LIMIT + 1)}`,
  )
}

async function totalsOf(reading: Reading, meant: RawBuilder<unknown>): Promise<BulkTotals> {
  const [row] = await reading.run(
    sql<TotalsRow>`select count(*)::integer as count, min(at) as first_at, max(at) as last_at,
       count(*) filter (where is_forgotten)::integer as forgotten, ${sql.raw(AFTER_NOW)} as now
     from (${meant}) as meant`,
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
