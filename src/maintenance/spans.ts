/** Adds the minutes that were counted up to spans of ten, so that charts stay fast and minutes need not be kept. */

import { qualify } from '../database/identifier.ts'

/** What the smallest bucket of a day's chart needs; every larger bucket is some of these. */
export const SPAN_SECONDS = 600
/** A transaction that counts may take seconds to commit, and a span is added up once it cannot grow. */
export const COMMIT_GRACE_MINUTES = 10
/** Refusals are kept in memory while the database is down, and come with their old minutes. */
const LATE_REFUSALS_DAYS = 1

/** The last span that was added up is added up again, so that it does not matter whether it was whole. */
export function addUpSpans(schema: string): string {
  const spans = qualify(schema, 'event_spans')
  return `
    with frame as (
      select coalesce(max(span), '-infinity') as since,
        ${spanOf(`now() - interval '${COMMIT_GRACE_MINUTES} minutes'`)} as until
      from ${spans}
    )
    insert into ${spans} (span, outcome, lag_step, events)
    select ${spanOf('minute')}, outcome, lag_step, sum(events)
    from ${qualify(schema, 'event_minutes')}, frame where minute >= since and minute < until group by 1, 2, 3
    union all
    select ${spanOf('minute')}, 'rejected', -1, sum(requests) from ${qualify(schema, 'refusals')}, frame
    where minute >= since - interval '${LATE_REFUSALS_DAYS} days' and minute < until group by 1
    on conflict (span, outcome, lag_step) do update set events = excluded.events`
}

function spanOf(time: string): string {
  return `to_timestamp(floor(extract(epoch from ${time}) / ${SPAN_SECONDS}) * ${SPAN_SECONDS})`
}
