/** Requests that were not valid deliveries, grouped by error. */

import type { RefusedRequestColumn } from '../database/tables.ts'
import { ERRORS, type ErrorCode } from '../errors.ts'
import { MISMATCH_CAUSES, type MismatchCauseCode } from '../explanations/mismatch-causes.ts'
import type { RejectedGroup } from './model.ts'
import { type Reading, toTime } from './reading.ts'

const SAMPLES = 5

interface GroupRow {
  readonly code: string
  readonly count: number
  readonly first_at: Date
  readonly last_at: Date
  readonly samples: readonly {
    readonly at: string
    readonly message: string
    readonly request: RefusedRequestColumn | null
  }[]
}

/** The refusals of the last days, the most recent first. */
export async function readRejectedGroups(reading: Reading, days: number): Promise<RejectedGroup[]> {
  const rows = await reading.query<GroupRow>(
    `select code, sum(requests)::integer as count, min(minute) as first_at, max(last_at) as last_at,
       (array_agg(json_build_object('at', last_at, 'message', message, 'request', request) order by minute desc))[1:${SAMPLES}] as samples
     from ${reading.table('refusals')} where minute > now() - make_interval(days => $1)
     group by code order by max(last_at) desc`,
    [days],
  )
  return rows.map(toGroup)
}

/** What the message of a refusal says beside its summary, without a full stop: "the secret of ins_a signed an event of ins_b". */
export function detailOf(message: string): string {
  return message.slice(message.indexOf(': ') + 2).replace(/\.$/, '')
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
    samples: samples.map(({ at, message, request }) => ({
      at: new Date(at).toISOString(),
      status: known?.status ?? 400,
      message,
      request: request && { ...request, mismatchCause: mismatchCauseOf(request.mismatchCause) },
    })),
  }
}

function mismatchCauseOf(code: string | null) {
  if (code === null) return null
  const known = Object.hasOwn(MISMATCH_CAUSES, code) ? MISMATCH_CAUSES[code as MismatchCauseCode] : undefined
  return { code, summary: known?.summary ?? code, remedy: known?.remedy ?? '' }
}
