/** The SQL of an erasure. Each statement handles a batch, and to run it again is harmless. */

import { qualify } from '../database/identifier.ts'
import type { Link } from './links.ts'

/** Stands where a text was. */
const ERASED_TEXT = '[erased]'

/** So many events or rows a statement: some 50 ms, which deliveries of the same rows can wait. */
export const BATCH = 1_000
/** So many rows are looked for the events of at once. */
export const ROWS_BATCH = 100

export type ErasureStatements = ReturnType<typeof erasureStatements>

export function erasureStatements(schema: string) {
  const table = (name: string) => qualify(schema, name)
  return {
    ...eventStatements(table),
    ...textStatements(table),
    // An erased row is a tombstone of its own.
    mark: `
      with gone as (
        delete from ${table('tombstones')} where resource = 'users' and id = any($1::text[])
      )
      insert into ${table('users')} as stored (id, deleted_at, erased_at)
      select id, now(), now() from unnest($1::text[]) as person(id) order by id
      on conflict (id) do update set deleted_at = coalesce(stored.deleted_at, now()),
        erased_at = coalesce(stored.erased_at, now()), synced_at = now()`,
    raws: `select raw::text as raw from ${table('users')} where id = any($1::text[]) and json_typeof(raw) = 'object'`,
    rows: ({ resource, condition }: Link) => `
      select id from ${table(resource.table)} where erased_at is null and (${condition}) and id > $3
      order by id limit ${ROWS_BATCH}`,
    countRows: ({ resource, condition }: Link) => `
      select count(*)::integer as count from ${table(resource.table)} where erased_at is null and (${condition})`,
    forgetAttempts: `
      update ${table('jobs')} set checkpoint = null
      where kind = 'erase' and scope = $1::jsonb and status <> 'running' and checkpoint is not null`,
    due: `
      (select id from ${table('users')}
        where deleted_at < now() - $1 * interval '1 day' and erased_at is null order by deleted_at limit $2)
      union all
      (select id from ${table('tombstones')}
        where resource = 'users' and deleted_at < now() - $1 * interval '1 day' order by deleted_at limit $2)`,
    unfinished: `
      select scope from (
        select distinct on (scope) scope, status, lease_until from ${table('jobs')}
        where kind = 'erase' order by scope, created_at desc
      ) as latest
      where status in ('aborted', 'failed') or (status = 'running' and lease_until < clock_timestamp())`,
  }
}

type Qualify = (name: string) => string

/** An event's body and changes are in the partition of its receipt, or kept apart for a run that outlived it. */
function isPartOf(event: string): string {
  return `part.event_id = ${event}.id and part.filed_at in (${event}.received_at, 'infinity')`
}

/** After `batch`, the ids and times of events: empties them, ends their runs, and counts. */
function emptying(table: Qualify): string {
  return `
    emptied as (
      update ${table('events')} as event set secret_body = null,
        error = case when event.error is not null then '${ERASED_TEXT}' end
      from batch where event.id = batch.id and (event.secret_body is not null or event.error is not null)
    ), bodies as (
      delete from ${table('event_bodies')} as part using batch where ${isPartOf('batch')}
    ), changed as (
      delete from ${table('event_changes')} as part using batch where ${isPartOf('batch')}
    ), ended as (
      update ${table('handler_runs')} as run set history = null, fingerprint = null, due_at = null, claim = null,
        status = case when status = 'succeeded' then status else 'discarded' end,
        finished_at = coalesce(finished_at, clock_timestamp()),
        error = case when run.error is not null then '${ERASED_TEXT}' end,
        note = case when run.note is not null then '${ERASED_TEXT}' end
      from batch where run.event_id = batch.id
      returning 1
    ), audited as (
      update ${table('audit_log')} as entry set details = null,
        reason = case when entry.reason is not null then '${ERASED_TEXT}' end
      from batch where regexp_replace(entry.target, '^.*/', '') = batch.id
    )
    select (select count(*) from batch)::integer as events, (select count(*) from ended)::integer as runs,
      last.occurred_at, last.id from (select 1) as one
      left join (select occurred_at, id from batch order by occurred_at desc, id desc limit 1) as last on true`
}

function eventStatements(table: Qualify) {
  const events = table('events')
  const emptied = emptying(table)
  const ofResources = `
    select id, occurred_at, received_at from ${events}
    where resource_id = any($1::text[]) and (occurred_at, id) > ($2::timestamptz, $3::text)
    order by occurred_at, id limit ${BATCH}`
  const bodyOfEvent = `
      left join lateral (
        select body from ${table('event_bodies')} as part where ${isPartOf('event')} limit 1
      ) as part on true`
  return {
    emptyEvents: `with batch as (select id, occurred_at, received_at from ${events} where id = any($1::text[])), ${emptied}`,
    emptyEventsOf: `with batch as (${ofResources}), ${emptied}`,
    countEventsOf: `
      select count(*)::integer as events, (
        select count(*) from ${table('handler_runs')}
        where event_id in (select id from ${events} where resource_id = any($1::text[]))
      )::integer as runs from ${events} where resource_id = any($1::text[])`,
    bodiesOf: `
      select event.id, event.occurred_at, part.body, event.secret_body
      from (select * from (${ofResources}) as position join ${events} using (id, occurred_at, received_at)) as event
      ${bodyOfEvent} order by event.occurred_at, event.id`,
    rewriteEvents: `
      with rewritten as (
        select new.id, new.body, new.secret_body, event.received_at from unnest($1::text[], $2::bytea[], $3::bytea[]) as new(id, body, secret_body)
        join ${events} as event using (id)
      ), bodies as (
        update ${table('event_bodies')} as part set body = rewritten.body
        from rewritten where ${isPartOf('rewritten')} and rewritten.body is not null
      ), unreadable as (
        delete from ${table('event_bodies')} as part using rewritten
        where ${isPartOf('rewritten')} and rewritten.body is null
      ), changed as (
        delete from ${table('event_changes')} as part using rewritten where ${isPartOf('rewritten')}
      ), texts as (
        update ${table('handler_runs')} as run set history = null,
          error = case when run.error is not null then '${ERASED_TEXT}' end,
          note = case when run.note is not null then '${ERASED_TEXT}' end
        from rewritten where run.event_id = rewritten.id
      )
      update ${events} as event set secret_body = rewritten.secret_body,
        error = case when event.error is not null then '${ERASED_TEXT}' end
      from rewritten where event.id = rewritten.id`,
    // The rows of some events are gone, or never were: parked and ignored ones are only found by what is in them.
    mentioning: `
      select id, received_at, case when exists (
        select from unnest($3::text[]) as value where position(convert_to(value, 'UTF8') in batch.body) > 0
      ) then body end as body, secret_body
      from (
        select event.id, event.received_at, event.secret_body, coalesce(part.body, event.secret_body) as body
        from (
          select * from ${events} where (received_at, id) > ($1::timestamptz, $2::text)
          order by received_at, id limit ${BATCH}
        ) as event ${bodyOfEvent}
      ) as batch order by received_at, id`,
  }
}

/** Texts in which a value may be quoted. $1 the values, in lower case. */
function textStatements(table: Qualify) {
  const quotes = (text: string) =>
    `exists (select from unnest($1::text[]) as value where strpos(lower(${text}), value) > 0)`
  const masked = (column: string) =>
    `${column} = case when ${quotes(column)} then '${ERASED_TEXT}' else ${column} end`
  const json = (column: string) =>
    `${column} = case when ${quotes(`${column}::text`)} then null else ${column} end`
  const anyOf = (...columns: string[]) => columns.map((column) => quotes(`${column}::text`)).join(' or ')
  return {
    texts: {
      audit_log: {
        condition: anyOf('target', 'reason', 'details', 'actor'),
        set: `reason = case when reason is not null then '${ERASED_TEXT}' end, details = null, ${masked('actor')}`,
      },
      jobs: {
        condition: `kind <> 'erase' and (${anyOf('report', 'error', 'progress', 'checkpoint')})`,
        set: `${json('report')}, ${json('error')}, ${json('checkpoint')},
          progress = case when ${quotes('progress::text')} then '{}' else progress end`,
      },
      refusals: { condition: anyOf('message'), set: `message = '${ERASED_TEXT}'` },
      handlers: { condition: anyOf('pause_reason'), set: `pause_reason = '${ERASED_TEXT}'` },
    } as const,
    runTexts: `
      with batch as (
        select event_id, handler, error, history, note from ${table('handler_runs')}
        where (event_id, handler) > ($2::text, $3::text) order by event_id, handler limit ${BATCH * 10}
      ), masked as (
        update ${table('handler_runs')} as run set ${masked('run.error').replace('run.error =', 'error =')}, history = null,
          ${masked('run.note').replace('run.note =', 'note =')}
        from batch where run.event_id = batch.event_id and run.handler = batch.handler
          and (${anyOf('batch.error', 'batch.history', 'batch.note')})
        returning 1
      )
      select (select count(*) from batch)::integer as seen, (select count(*) from masked)::integer as changed,
        last.event_id, last.handler from (select 1) as one
        left join (select event_id, handler from batch order by event_id desc, handler desc limit 1) as last on true`,
  }
}
