/** Groups of failures whose runs have all succeeded since. */

import { causeOf } from './cause.ts'
import { maskText } from './masking.ts'
import type { FailureGroup, ResolvedGroup } from './model.ts'
import { atLeast, exactly } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'

const RESOLVED_DAYS = 7
/** The newest runs that are read. */
const MAX_RUNS = 1_000
const MAX_GROUPS = 20

interface RecoveredRow {
  readonly event_id: string
  readonly handler: string
  readonly finished_at: Date
  readonly failed_at: string
  readonly error: string
}

/** @param open groups that still have failing runs; they are not resolved */
export async function readResolvedGroups(
  reading: Reading,
  open: readonly FailureGroup[],
  isMasked: boolean,
): Promise<ResolvedGroup[]> {
  const rows = await reading.query<RecoveredRow>(statement(reading), [RESOLVED_DAYS, MAX_RUNS])
  const isCut = rows.length === MAX_RUNS
  const failing = new Set(open.map(({ handler, error }) => keyOf(handler, error ?? '')))
  const shown = rows.map((row) => ({ ...row, error: isMasked ? maskText(row.error) : row.error }))
  const groups = Map.groupBy(shown, ({ handler, error }) => keyOf(handler, error))
  return [...groups]
    .filter(([key]) => !failing.has(key))
    .slice(0, MAX_GROUPS)
    .map(([, runs]) => toGroup(runs, isCut))
}

/** The condition is that of the index. */
function statement(reading: Reading): string {
  return `
    select event_id, handler, finished_at, history -> -1 ->> 'error' as error, history -> 0 ->> 'failedAt' as failed_at
    from ${reading.table('handler_runs')}
    where history is not null and fingerprint is null
      and finished_at > now() - make_interval(days => $1) and status = 'succeeded'
    order by finished_at desc limit $2`
}

/** Ids and numbers differ between runs of one cause. */
function keyOf(handler: string, error: string): string {
  return JSON.stringify([handler, causeOf(error).replace(/\w*\d\w*/g, '#')])
}

/** @param runs newest first */
function toGroup(runs: readonly RecoveredRow[], isCut: boolean): ResolvedGroup {
  const [newest] = runs as [RecoveredRow]
  const failedAt = runs.map(({ failed_at }) => failed_at).toSorted()
  return {
    handler: newest.handler,
    error: newest.error,
    cause: causeOf(newest.error),
    runs: isCut ? atLeast(runs.length) : exactly(runs.length),
    firstAt: toTime(new Date(failedAt[0] as string)),
    resolvedAt: toTime(newest.finished_at),
    sampleEventId: newest.event_id,
  }
}
