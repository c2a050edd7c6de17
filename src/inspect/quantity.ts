/** Numbers that say how well they are known. */

import type { Quantity } from './model.ts'
import type { Reading } from './reading.ts'

/** Counting goes no further: nobody reads the last digit of more, and it would take its time. */
export const COUNT_LIMIT = 10_000

export const UNKNOWN: Quantity = { value: null, isEstimate: false, isAtLeast: false }

export function exactly(value: number): Quantity {
  return { value, isEstimate: false, isAtLeast: false }
}

function roughly(value: number): Quantity {
  return { value, isEstimate: true, isAtLeast: false }
}

export function atLeast(value: number): Quantity {
  return { value, isEstimate: false, isAtLeast: true }
}

/** `≈ 1,204,118`, `10,000+` */
export function describeQuantity({ value, isEstimate, isAtLeast }: Quantity): string {
  if (value === null) return 'unknown'
  return `${isEstimate ? '≈ ' : ''}${value.toLocaleString('en')}${isAtLeast ? '+' : ''}`
}

/** Several together: as uncertain as the least certain of them. */
export function addUp(quantities: readonly Quantity[]): Quantity {
  return {
    value: quantities.reduce((sum, { value }) => sum + (value ?? 0), 0),
    isEstimate: quantities.some(({ isEstimate }) => isEstimate),
    isAtLeast: quantities.some(({ isAtLeast }) => isAtLeast),
  }
}

/** The quantity from a count with `limit COUNT_LIMIT + 1`. */
export function counted(value: number, limit = COUNT_LIMIT): Quantity {
  return value > limit ? atLeast(limit) : exactly(value)
}

/** Counts what a query finds, up to the limit. */
export async function countUpTo(
  reading: Reading,
  text: string,
  parameters: readonly unknown[] = [],
  limit = COUNT_LIMIT,
): Promise<Quantity> {
  const limited = `select count(*)::integer as count from (${text} limit ${limit + 1}) as found`
  const [row] = await reading.query<{ count: number }>(limited, parameters)
  return counted(row?.count ?? 0, limit)
}

interface TableStatistics {
  /** -1: never analysed. */
  readonly rows: number
  readonly deleted: number | null
}

/**
 * How many live rows a mirrored table has: counted if it is small, else from the planner's statistics, which the
 * database keeps up to date by itself.
 */
export async function countLiveRows(reading: Reading, table: string): Promise<Quantity> {
  const live = `select 1 from ${reading.table(table)} where deleted_at is null`
  const [statistics] = await reading.query<TableStatistics>(
    `select c.reltuples::float8 as rows, (
       select 1 - null_frac from pg_stats
       where schemaname = $1 and tablename = $2 and attname = 'deleted_at'
     )::float8 as deleted
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2`,
    [reading.schema, table],
  )
  const { rows = -1, deleted = null } = statistics ?? {}
  if (rows <= COUNT_LIMIT || deleted === null) return countUpTo(reading, live)
  return roughly(Math.round(rows * (1 - deleted)))
}
