/** Runs of handlers that are due while nobody is there to run them. */

import type { Quantity, Time } from './model.ts'
import { counted } from './quantity.ts'
import { type Reading, toTime } from './reading.ts'

export interface WaitingWork {
  /** Runs that have been due for longer than a worker takes to find them. */
  readonly due: Quantity
  /** When a worker was last seen; null if none ever was. */
  readonly workerSeenAt: Time | null
}

/** Longer than a lost worker's lease, and than the minute between two calls of a serverless app's cron job. */
const SILENCE_SECONDS = 90
const MAX_COUNT = 1_000

/** Null if a worker is there, or nothing waits. */
export async function readWaitingWork(reading: Reading): Promise<WaitingWork | null> {
  const [worker] = await reading.query<{ seen_at: Date | null; is_silent: boolean | null }>(
    `select max(lease_until) as seen_at,
       max(lease_until) < clock_timestamp() - interval '${SILENCE_SECONDS} seconds' as is_silent
     from ${reading.table('handler_workers')}`,
  )
  if (worker?.is_silent === false) return null
  const [row] = await reading.query<{ count: number }>(
    `select count(*)::integer as count from (
       select from ${reading.table('handler_runs')} as run
       where due_at < clock_timestamp() - interval '${SILENCE_SECONDS} seconds'
         and not exists (
           select from ${reading.table('handlers')} as handler
           where handler.name = run.handler and handler.paused_at is not null
         )
       limit $1
     ) as waiting`,
    [MAX_COUNT + 1],
  )
  const due = counted(row?.count ?? 0, MAX_COUNT)
  return due.value ? { due, workerSeenAt: toTime(worker?.seen_at ?? null) } : null
}
