/** Whether the alert hook takes its messages. */

import type { Time } from './model.ts'
import { type Reading, toTime } from './reading.ts'

export interface HookFailure {
  readonly alert: string
  readonly at: Time
  readonly failure: string
}

/** The last message that could not be sent; null if there is none. */
export async function readHookFailure(reading: Reading): Promise<HookFailure | null> {
  const [row] = await reading.query<{ name: string; failed_at: Date; failure: string }>(
    `select name, failed_at, failure from ${reading.table('alerts')}
     where failed_at is not null order by failed_at desc limit 1`,
  )
  return row ? { alert: row.name, at: toTime(row.failed_at), failure: row.failure } : null
}
