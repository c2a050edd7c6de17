/** The SQL of the runs. Every change of a running one names its claim: who lost it changes nothing. */

import { qualify } from '../database/identifier.ts'
import { forgetSecretsStatement } from '../database/secrets.ts'

export interface RunStatements {
  /** $1 rows → event_id, handler of those that were not there */
  readonly insert: string
  /** $1 event ids, $2 handlers, $3 claim, $4 worker, $5 lease in ms → claimed runs */
  readonly claim: string
  /** $1 handler, $2 most, $3 claim, $4 worker, $5 lease in ms, $6 grace in ms → claimed runs */
  readonly claimOverdue: string
  /** $1 claims, $2 event ids, $3 handlers, $4 lease in ms → those that are still theirs */
  readonly renew: string
  /** $1 claims, $2 event ids, $3 handlers → those that were still theirs */
  readonly succeed: string
  /** $1 rows → those that were still theirs, with when they are due */
  readonly fail: string
  /** $1 claims, $2 event ids, $3 handlers → those that were still theirs */
  readonly release: string
  /** $1 handlers, $2 order keys → the first open run of each */
  readonly nextInLine: string
  /** $1 event ids */
  readonly forgetSecrets: string
  /** $1 event ids, $2 handlers, $3 note → those that were changed */
  readonly reopen: string
  /** $1 event ids, $2 handlers, $3 note → those that were changed */
  readonly discard: string
  /** $1 event ids, $2 handlers → those that failed and wait, or are dead */
  readonly failing: string
  /** $1 handler, $2 after this event, $3 most → runs that are due */
  readonly due: string
  /** $1 handler, $2 whether, $3 reason */
  readonly pause: string
}

/** Wakes may come a little early: clocks differ, and timers are not exact. */
const EARLY = `interval '1 second'`

export function runStatements(schema: string): RunStatements {
  const tables = {
    runs: qualify(schema, 'handler_runs'),
    handlers: qualify(schema, 'handlers'),
    events: qualify(schema, 'events'),
  }
  return {
    ...recordingStatements(tables),
    ...claimingStatements(tables),
    ...endingStatements(tables),
    ...peoplesStatements(tables),
    forgetSecrets: forgetSecretsStatement(schema, 'event.id = any($1::text[])'),
  }
}

interface Tables {
  readonly runs: string
  readonly handlers: string
  readonly events: string
}

function recordingStatements({ runs }: Tables) {
  return {
    insert: `
      insert into ${runs} (event_id, handler, order_key, occurred_at)
      select event_id, handler, order_key, occurred_at
      from json_to_recordset($1::json) as row(event_id text, handler text, order_key text, occurred_at timestamptz)
      order by event_id, handler
      on conflict do nothing returning event_id, handler`,
    nextInLine: `
      select next.event_id, next.handler, next.due_at
      from unnest($1::text[], $2::text[]) as line(handler, order_key)
      cross join lateral (
        select * from ${runs} as run
        where run.handler = line.handler and run.order_key = line.order_key
          and run.status in ('pending', 'retrying', 'running', 'dead')
        order by run.occurred_at, run.event_id limit 1
      ) as next
      where next.status in ('pending', 'retrying')`,
  }
}

/**
 * An ordered run waits for the earlier ones of its resource, and for any that is running: an earlier one may have come
 * after it. A lost worker's run, which is running, is taken over whatever came meanwhile, or both would wait for ever.
 */
function claimingStatements({ runs, handlers, events }: Tables) {
  const isClaimable = `
    not exists (select from ${handlers} as handler where handler.name = run.handler and handler.paused_at is not null)
    and (run.order_key is null or run.status = 'running' or not exists (
      select from ${runs} as other
      where other.handler = run.handler and other.order_key = run.order_key
        and other.status in ('pending', 'retrying', 'running', 'dead')
        and (other.status = 'running' or (other.occurred_at, other.event_id) < (run.occurred_at, run.event_id))
    ))`
  const claimPicked = `
    update ${runs} as run
    set status = 'running', attempts = run.attempts + 1, claim = $3, worker = $4, started_at = clock_timestamp(),
        due_at = clock_timestamp() + $5 * interval '1 millisecond'
    from picked join ${events} as event on event.id = picked.event_id
    where run.event_id = picked.event_id and run.handler = picked.handler
    returning run.event_id, run.handler, run.claim, run.attempts, run.order_key, run.started_at, run.history,
      event.resource, event.resource_id, event.outcome, event.changes, event.source,
      coalesce(event.secret_body, event.body) as body, event.secret_body is not null as has_secrets`
  return {
    claim: `
      with picked as (
        select run.event_id, run.handler from ${runs} as run
        join unnest($1::text[], $2::text[]) as wanted(event_id, handler)
          on wanted.event_id = run.event_id and wanted.handler = run.handler
        where (run.status in ('pending', 'retrying') and run.due_at <= clock_timestamp() + ${EARLY}
            or run.status = 'running' and run.due_at < clock_timestamp())
          and ${isClaimable}
        order by run.event_id, run.handler for update of run skip locked
      ) ${claimPicked}`,
    claimOverdue: `
      with picked as (
        select run.event_id, run.handler from ${runs} as run
        where run.handler = $1 and run.status in ('pending', 'retrying', 'running')
          and run.due_at <= clock_timestamp()
            - case when run.status = 'running' then 0 else $6 end * interval '1 millisecond'
          and ${isClaimable}
        order by run.due_at limit $2 for update of run skip locked
      ) ${claimPicked}`,
  }
}

/** What a worker does with runs that it has claimed. */
function endingStatements({ runs }: Tables) {
  const own = `
    from unnest($1::text[], $2::text[], $3::text[]) as own(claim, event_id, handler)
    where run.event_id = own.event_id and run.handler = own.handler and run.claim = own.claim`
  return {
    // Waiting for none: what is locked is just being ended, and who ends several waits for them in another order.
    renew: `
      with held as materialized (
        select run.event_id, run.handler from ${runs} as run
        join unnest($1::text[], $2::text[], $3::text[]) as own(claim, event_id, handler)
          on run.event_id = own.event_id and run.handler = own.handler and run.claim = own.claim
        for update of run skip locked
      )
      update ${runs} as run set due_at = clock_timestamp() + $4 * interval '1 millisecond'
      from held where run.event_id = held.event_id and run.handler = held.handler
      returning run.claim, run.event_id, run.handler`,
    succeed: `
      update ${runs} as run
      set status = 'succeeded', finished_at = clock_timestamp(), claim = null, error = null, fingerprint = null
      ${own} returning run.event_id, run.handler`,
    fail: `
      update ${runs} as run
      set status = failed.status, error = failed.error, fingerprint = failed.fingerprint, history = failed.history,
          due_at = clock_timestamp() + coalesce(failed.delay_ms, 0) * interval '1 millisecond', claim = null,
          finished_at = case when failed.status = 'dead' then clock_timestamp() end
      from json_to_recordset($1::json) as failed(
        claim text, event_id text, handler text, status text, error text, fingerprint text, history json, delay_ms float8)
      where run.event_id = failed.event_id and run.handler = failed.handler and run.claim = failed.claim
      returning run.event_id, run.handler, run.status, run.due_at`,
    // The try does not count: it was neither made nor failed.
    release: `
      update ${runs} as run
      set status = case when run.attempts > 1 then 'retrying' else 'pending' end, attempts = run.attempts - 1,
          claim = null, due_at = clock_timestamp()
      ${own} returning run.event_id, run.handler, run.due_at`,
  }
}

/** What people do with runs. */
function peoplesStatements({ runs, handlers }: Tables) {
  const wanted = `
    from unnest($1::text[], $2::text[]) as wanted(event_id, handler)
    where run.event_id = wanted.event_id and run.handler = wanted.handler`
  return {
    reopen: `
      update ${runs} as run
      set status = 'pending', attempts = 0, due_at = clock_timestamp(), finished_at = null, note = coalesce($3, run.note)
      ${wanted} and run.status in ('retrying', 'dead', 'discarded', 'succeeded')
      returning run.event_id, run.handler, run.due_at`,
    discard: `
      update ${runs} as run
      set status = 'discarded', finished_at = clock_timestamp(), note = coalesce($3, run.note)
      ${wanted} and run.status in ('pending', 'retrying', 'dead')
      returning run.event_id, run.handler, run.order_key`,
    failing: `
      select from ${runs} as run, unnest($1::text[], $2::text[]) as wanted(event_id, handler)
      where run.event_id = wanted.event_id and run.handler = wanted.handler
        and (run.status = 'dead' or run.status = 'retrying')`,
    due: `
      select event_id, handler, due_at from ${runs}
      where handler = $1 and event_id > $2 and status in ('pending', 'retrying') and due_at <= clock_timestamp()
      order by event_id limit $3`,
    pause: `
      insert into ${handlers} as handler (name, paused_at, pause_reason)
      values ($1, case when $2 then clock_timestamp() end, $3)
      on conflict (name) do update
      set paused_at = case when $2 then coalesce(handler.paused_at, excluded.paused_at) end, pause_reason = $3`,
  }
}
