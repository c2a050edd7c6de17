/** The team's handlers, as far as their runs and this process know them. */

import type { HandlerSummary } from './model.ts'
import { countUpTo } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'

/** A handler that is registered in this process. */
export interface KnownHandler {
  readonly name: string
  readonly patterns: readonly string[]
}

interface HandlerRow {
  readonly name: string
  readonly paused_at: Date | null
  readonly pause_reason: string | null
}

/** Sorted by name: the handlers of this process, paused ones, and those that have runs. */
export async function readHandlers(
  reading: Reading,
  known: readonly KnownHandler[],
): Promise<HandlerSummary[]> {
  const stored = await reading.query<HandlerRow>(
    `select name, paused_at, pause_reason from ${reading.table('handlers')}`,
  )
  const byName = new Map(stored.map((row) => [row.name, row]))
  const names = new Set([...known.map(({ name }) => name), ...byName.keys(), ...(await namesInRuns(reading))])
  const summaries: HandlerSummary[] = []
  for (const name of [...names].sort()) {
    const patterns = known.find((handler) => handler.name === name)?.patterns ?? null
    const row = byName.get(name)
    summaries.push({
      name,
      patterns,
      isPaused: Boolean(row?.paused_at),
      pausedAt: toTime(row?.paused_at ?? null),
      pauseReason: row?.pause_reason ?? null,
      ...(await countRuns(reading, name)),
    })
  }
  return summaries
}

/** From name to name along the index: reading every run for a handful of names would take long. */
async function namesInRuns(reading: Reading): Promise<string[]> {
  const runs = reading.table('handler_runs')
  const rows = await reading.query<{ name: string | null }>(`
    with recursive names(name) as (
      (select min(handler) from ${runs})
      union all
      select (select min(handler) from ${runs} where handler > names.name) from names where name is not null
    )
    select name from names where name is not null limit 1000`)
  return rows.flatMap(({ name }) => name ?? [])
}

async function countRuns(
  reading: Reading,
  handler: string,
): Promise<Pick<HandlerSummary, 'waiting' | 'dead'>> {
  const runs = `select 1 from ${reading.table('handler_runs')} where handler = $1`
  return {
    waiting: await countUpTo(
      reading,
      `${runs} and due_at is not null and status in ('pending', 'retrying')`,
      [handler],
    ),
    dead: await countUpTo(reading, `${runs} and fingerprint is not null and status = 'dead'`, [handler]),
  }
}
