/** The runs of handlers, one by one. */

import type { FailedAttempt } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import { maskText } from './masking.ts'
import type { HandlerRun, RunState } from './model.ts'
import { type Reading, toTime } from './reading.ts'

export const RUN_COLUMNS =
  'event_id, handler, status, attempts, due_at, started_at, finished_at, worker, error, fingerprint, note, history'

export interface RunRow {
  readonly event_id: string
  readonly handler: string
  readonly status: RunState
  readonly attempts: number
  readonly due_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly worker: string | null
  readonly error: string | null
  readonly fingerprint: string | null
  readonly note: string | null
  readonly history: readonly FailedAttempt[] | null
}

export async function runsOfEvent(
  reading: Reading,
  eventId: string,
  isMasked: boolean,
): Promise<HandlerRun[]> {
  const rows = await reading.query<RunRow>(
    `select ${RUN_COLUMNS} from ${reading.table('handler_runs')} where event_id = $1 order by handler`,
    [eventId],
  )
  return rows.map((row) => toRun(row, isMasked))
}

/** @throws {ClerkSyncError} `run_not_found` */
export async function getRun(
  reading: Reading,
  eventId: string,
  handler: string,
  isMasked: boolean,
): Promise<HandlerRun> {
  const runs = await runsOfEvent(reading, eventId, isMasked)
  const run = runs.find((each) => each.handler === handler)
  if (run === undefined) throw new ClerkSyncError('run_not_found', `${handler} for ${eventId}`)
  return run
}

/** Error messages hold whatever your code puts there, often an email address. */
export function toRun(row: RunRow, isMasked: boolean): HandlerRun {
  const shown = (text: string) => (isMasked ? maskText(text) : text)
  const isOpen = row.status === 'pending' || row.status === 'retrying'
  return {
    eventId: row.event_id,
    handler: row.handler,
    state: row.status,
    attempts: row.attempts,
    nextTryAt: isOpen ? toTime(row.due_at) : null,
    startedAt: toTime(row.started_at),
    finishedAt: toTime(row.finished_at),
    worker: row.worker,
    error: row.error && shown(row.error),
    fingerprint: row.fingerprint,
    note: row.note,
    failures: (row.history ?? []).map((failure) => ({ ...failure, error: shown(failure.error) })),
    earlierFailures: earlierFailures(row),
  }
}

/**
 * A manual retry restarts the count at 1: an attempt whose number is not below the next one's is from before the retry.
 */
function earlierFailures({ history, attempts }: RunRow): number {
  let next = attempts + 1
  const firstEarlier = (history ?? []).findLastIndex(({ attempt }) => {
    const isEarlier = attempt >= next
    next = attempt
    return isEarlier
  })
  return firstEarlier + 1
}
