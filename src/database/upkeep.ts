/**
 * What has to be done now and then, or tables would only grow: adds minutes up to spans of ten, and removes what is
 * kept no longer, secrets of events first. Events, their runs and the mirrored rows stay.
 */

import type { Kysely, Transaction } from 'kysely'
import { qualify } from './identifier.ts'
import { query } from './query.ts'
import { forgetSecretsStatement } from './secrets.ts'
import type { ClerkTables } from './tables.ts'

/** A day more than the longest range of the dashboard's switch: whoever drags over its chart still finds minutes. */
export const MINUTES_KEPT_DAYS = 8
/** What the smallest bucket of a day's chart needs; every larger bucket is some of these. */
export const SPAN_SECONDS = 600
/** Somewhat more than the longest chart: its oldest bucket begins before its range. */
const SPANS_KEPT_DAYS = 200
/** The page of rejected requests shows a week; the messages of a month are enough to look into an incident. */
const REFUSALS_KEPT_DAYS = 30
/** Who audits a year does so after its end. */
const AUDIT_KEPT_DAYS = 400

/** A transaction that counts may take seconds to commit, and a span is added up once it cannot grow. */
const SETTLES_MINUTES = 10
/** Refusals are kept in memory while the database is down, and come with their old minutes. */
const LATE_REFUSALS_DAYS = 1

/** How many rows were removed, by table. */
export type UpkeepResult = Readonly<Record<keyof typeof KEPT, number>>

const KEPT = {
  event_minutes: { column: 'minute', days: MINUTES_KEPT_DAYS },
  event_spans: { column: 'span', days: SPANS_KEPT_DAYS },
  refusals: { column: 'minute', days: REFUSALS_KEPT_DAYS },
  audit_log: { column: 'at', days: AUDIT_KEPT_DAYS },
  failure_mutes: { column: 'until', days: 0 },
} as const

/** Does it, unless another process is at it: then null. */
export function keepUp(database: Kysely<ClerkTables>, schema: string): Promise<UpkeepResult | null> {
  return database.transaction().execute(async (trx) => {
    const [lock] = await query<{ isMine: boolean }>(
      trx,
      `select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as "isMine"`,
      [`${schema} upkeep`],
    )
    if (!lock?.isMine) return null
    await query(trx, addUpSpans(schema))
    await query(trx, forgetSecretsStatement(schema, LEFT_OVER))
    return {
      event_minutes: await remove(trx, schema, 'event_minutes'),
      event_spans: await remove(trx, schema, 'event_spans'),
      refusals: await remove(trx, schema, 'refusals'),
      audit_log: await remove(trx, schema, 'audit_log'),
      failure_mutes: await remove(trx, schema, 'failure_mutes'),
    }
  })
}

/** The last span that was added up is added up again, so that it does not matter whether it was whole. */
function addUpSpans(schema: string): string {
  const spans = qualify(schema, 'event_spans')
  return `
    with frame as (
      select coalesce(max(span), '-infinity') as since,
        ${spanOf(`now() - interval '${SETTLES_MINUTES} minutes'`)} as until
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

/** Whoever ends the last run of an event forgets its secrets; these a crash left over. */
const LEFT_OVER = `event.secret_body is not null and event.received_at < now() - interval '${SETTLES_MINUTES} minutes'`

function spanOf(time: string): string {
  return `to_timestamp(floor(extract(epoch from ${time}) / ${SPAN_SECONDS}) * ${SPAN_SECONDS})`
}

/** By whole hours, so that a span is never added up from a part of its minutes. */
async function remove(
  trx: Transaction<ClerkTables>,
  schema: string,
  table: keyof UpkeepResult,
): Promise<number> {
  const { column, days } = KEPT[table]
  const [gone] = await query<{ count: number }>(
    trx,
    `with gone as (
       delete from ${qualify(schema, table)}
       where ${column} < date_trunc('hour', now() - interval '${days} days', 'UTC') returning 1
     ) select count(*)::integer as count from gone`,
  )
  return gone?.count ?? 0
}
