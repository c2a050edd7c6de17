/** Requests that were no deliveries, by what was wrong with them. */

import { ERRORS, type ErrorCode } from '../errors.ts'
import type { RejectedGroup } from './model.ts'
import { type Reading, toTime } from './reading.ts'

const SAMPLES = 5

interface GroupRow {
  readonly code: string
  readonly count: number
  readonly first_at: Date
  readonly last_at: Date
  readonly samples: readonly { readonly at: string; readonly message: string }[]
}

/** The refusals of the last days, the most recent first. */
export async function readRejectedGroups(reading: Reading, days: number): Promise<RejectedGroup[]> {
  const rows = await reading.query<GroupRow>(
    `select code, sum(requests)::integer as count, min(minute) as first_at, max(last_at) as last_at,
       (array_agg(json_build_object('at', last_at, 'message', message) order by minute desc))[1:${SAMPLES}] as samples
     from ${reading.table('refusals')} where minute > now() - make_interval(days => $1)
     group by code order by max(last_at) desc`,
    [days],
  )
  return rows.map(toGroup)
}

function toGroup({ code, count, first_at, last_at, samples }: GroupRow): RejectedGroup {
  // A newer version may have written codes that this one does not know.
  const known = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : undefined
  return {
    code,
    summary: known?.summary ?? code,
    remedy: known?.remedy ?? '',
    count,
    firstAt: toTime(first_at),
    lastAt: toTime(last_at),
    samples: samples.map(({ at, message }) => ({
      at: new Date(at).toISOString(),
      status: known?.status ?? 400,
      message,
    })),
  }
}
