/** The SQL of the runs. Every change of a running one names its claim: a worker that lost it changes nothing. */

import { qualify } from '../database/identifier.ts'
import { forgetSecretsStatement, SECRETS_FORGOTTEN } from '../database/secrets.ts'

interface ClaimStatements {
  /** $1 worker, $2 claim, $3 handler, $4 attempts that may be made, $5 event ids → claimed runs */
  readonly byEvent: string
  /** $1 worker, $2 claim, $3 handler, $4 attempts that may be made, $5 due at or after, or null for recently, $6 most → claimed runs */
  readonly due: string
}

export interface RunStatements {
  /** $1 rows → event_id, handler of those that were not there */
  readonly insert: string
  /** $1 worker, $2 lease in ms */
  readonly register: string
  /** $1 worker, $2 lease in ms → a row, unless the lease was lost */
  readonly renew: string
  /** $1 worker */
  readonly unregister: string
  /** $1 worker, whose runs others set free then */
  readonly expire: string
  /** → a row for each worker whose lease is over, and which is removed */
  readonly removeLost: string
  /** $1 workers → their runs, which may be claimed again */
  readonly setFree: string
  /** $1 key of the lock */
  readonly lock: string
  readonly orderedClaims: ClaimStatements
  readonly claims: ClaimStatements
  /** $1 claims, $2 event ids, $3 handlers → those that are still theirs */
  readonly mark: string
  /** $1 claims, $2 event ids, $3 handlers → those that were still theirs */
  readonly succeed: string
  /** $1 rows → those that were still theirs, with when they are due */
  readonly fail: string
  /** $1 claims, $2 event ids, $3 handlers, $4 delay in ms → those that were still theirs */
  readonly release: string
  /** $1 claims, $2 their handlers, whose runs may be claimed again */
  readonly giveUp: string
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

/** Longer than a transaction of the ledger may take from its start, when its runs come due, to its commit. */
const RECENT = `interval '15 seconds'`

export function runStatements(schema: string): RunStatements {
  const tables = {
    runs: qualify(schema, 'handler_runs'),
    workers: qualify(schema, 'handler_workers'),
    handlers: qualify(schema, 'handlers'),
    events: qualify(schema, 'events'),
  }
  return {
    ...recordingStatements(tables),
    ...leaseStatements(tables),
    ...claimingStatements(tables),
    ...endingStatements(tables),
    ...peoplesStatements(tables),
    forgetSecrets: forgetSecretsStatement(schema, 'event.id = any($1::text[])'),
  }
}

interface Tables {
  readonly runs: string
  readonly workers: string
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
          and (run.due_at is not null or run.fingerprint is not null)
        order by run.occurred_at, run.event_id limit 1
      ) as next
      where next.status in ('pending', 'retrying') and next.due_at is not null`,
  }
}

/**
 * A worker's runs are its own for as long as its row is there. When its lease is over, another worker removes the row and
 * sets the runs free in one transaction, so that a lost worker's run waits in its line like any other: an earlier event that
 * came meanwhile goes first. A run whose handler was not called yet (`started_at` is null) gets its try back.
 */
function leaseStatements({ runs, workers }: Tables) {
  const until = `clock_timestamp() + $2 * interval '1 millisecond'`
  return {
    register: `insert into ${workers} (id, lease_until) values ($1, ${until})`,
    renew: `update ${workers} set lease_until = ${until} where id = $1 returning id`,
    // The worker's row is deleted, so that a claim still in flight has no effect; a separate row records the time of
    // its end.
    unregister: `
      with gone as (delete from ${workers} where id = $1), forgotten as (
        delete from ${workers} where id in (select id from ${workers} where has_ended for update skip locked)
      )
      insert into ${workers} (id, lease_until, has_ended) values ($1 || ':ended', clock_timestamp(), true)`,
    expire: `update ${workers} set lease_until = clock_timestamp() where id = $1`,
    // A row that is locked belongs to a claim that is just being made.
    removeLost: `
      delete from ${workers} where id in (
        select id from ${workers} where lease_until < statement_timestamp() and not has_ended for update skip locked
      ) returning id`,
    setFree: `
      update ${runs} as run
      set status = case when run.attempts > 1 or run.started_at is not null then 'retrying' else 'pending' end,
          attempts = run.attempts - case when run.started_at is null then 1 else 0 end, claim = null
      where run.worker = any($1::text[]) and run.status = 'running' and run.due_at is not null
      returning run.event_id, run.handler, run.due_at`,
  }
}

/**
 * An ordered run waits for the earlier open ones of its resource, and for any that is running. Two claims at a time would
 * not see each other's runs, so that those of an ordered handler are made one after the other, behind a lock.
 *
 * The worker's row is locked as a foreign key would lock it: a claim cannot be committed after the worker was given up.
 *
 * The commit of an unordered claim does not wait for the disk. A Postgres that crashes in the next moments forgets it, so that the
 * run is made once more, as after the loss of its worker; what the first try writes through `tx` is refused. For an ordered handler
 * the two could change the order.
 */
function claimingStatements(tables: Tables) {
  const quickly = `and set_config('synchronous_commit', 'off', true) is not null`
  return {
    lock: 'select pg_advisory_xact_lock(hashtextextended($1, 0))',
    orderedClaims: claimStatements(tables, ''),
    claims: claimStatements(tables, quickly),
  }
}

function claimStatements({ runs, workers, handlers, events }: Tables, how: string): ClaimStatements {
  const me = `me as materialized (select id from ${workers} where id = $1 ${how} for key share)`
  const isClaimable = `
    run.status in ('pending', 'retrying') and exists (select from me)
    and not exists (select from ${handlers} where name = $3 and paused_at is not null)
    and (run.order_key is null or not exists (
      select from ${runs} as other
      where other.handler = run.handler and other.order_key = run.order_key
        and (other.due_at is not null or other.fingerprint is not null)
        and (other.status = 'running' or (other.occurred_at, other.event_id) < (run.occurred_at, run.event_id))
    ))`
  // The last try is counted as such once its handler is called: see 'mark'.
  const claimPicked = `
    update ${runs} as run
    set status = 'running', attempts = run.attempts + 1, claim = $2, worker = $1,
        started_at = case when run.attempts + 1 < $4 then clock_timestamp() end
    from picked join ${events} as event on event.id = picked.event_id
    where run.event_id = picked.event_id and run.handler = picked.handler
    returning run.event_id, run.handler, run.claim, run.worker, run.attempts, run.order_key, run.due_at::text as due,
      clock_timestamp() as claimed_at, run.history,
      event.type, event.resource, event.resource_id, event.outcome, event.source, event.traceparent, event.received_at,
      event.secret_body, ${SECRETS_FORGOTTEN} as secrets_forgotten`
  return {
    byEvent: `
      with ${me}, picked as (
        select run.event_id, run.handler from ${runs} as run
        where run.event_id = any($5::text[]) and run.handler = $3
          and run.due_at <= statement_timestamp() and ${isClaimable}
        order by run.event_id for update of run skip locked
      ) ${claimPicked}`,
    due: `
      with ${me}, picked as (
        select run.event_id, run.handler from ${runs} as run
        where run.handler = $3 and run.due_at >= coalesce($5::timestamptz, statement_timestamp() - ${RECENT}) and run.due_at <= statement_timestamp()
          and ${isClaimable}
        order by run.due_at limit $6 for update of run skip locked
      ) ${claimPicked}`,
  }
}

/** What a worker does with runs that it has claimed. */
function endingStatements({ runs }: Tables) {
  const own = `
    from unnest($1::text[], $2::text[], $3::text[]) as own(claim, event_id, handler)
    where run.event_id = own.event_id and run.handler = own.handler and run.claim = own.claim`
  return {
    mark: `
      update ${runs} as run set started_at = clock_timestamp() ${own} returning run.event_id, run.handler`,
    succeed: `
      update ${runs} as run
      set status = 'succeeded', finished_at = clock_timestamp(), due_at = null, claim = null, error = null,
          fingerprint = null
      ${own} returning run.event_id, run.handler`,
    fail: `
      update ${runs} as run
      set status = failed.status, error = failed.error, fingerprint = failed.fingerprint, history = failed.history,
          due_at = clock_timestamp() + failed.delay_ms * interval '1 millisecond', claim = null,
          finished_at = case when failed.status = 'dead' then clock_timestamp() end
      from json_to_recordset($1::json) as failed(
        claim text, event_id text, handler text, status text, error text, fingerprint text, history json, delay_ms float8)
      where run.event_id = failed.event_id and run.handler = failed.handler and run.claim = failed.claim
      returning run.event_id, run.handler, run.status, run.due_at`,
    // The try does not count: it was neither made nor failed.
    release: `
      update ${runs} as run
      set status = case when run.attempts > 1 then 'retrying' else 'pending' end, attempts = run.attempts - 1,
          claim = null, due_at = clock_timestamp() + $4 * interval '1 millisecond'
      ${own} returning run.event_id, run.handler, run.due_at`,
    giveUp: `
      update ${runs} as run
      set status = case when run.attempts > 1 then 'retrying' else 'pending' end, attempts = run.attempts - 1,
          claim = null
      from unnest($1::text[], $2::text[]) as own(claim, handler)
      where run.handler = own.handler and run.claim = own.claim and run.status = 'running' and run.due_at is not null`,
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
      set status = 'pending', attempts = 0, due_at = clock_timestamp(), finished_at = null, fingerprint = null,
          note = coalesce($3, run.note)
      ${wanted} and run.status in ('retrying', 'dead', 'discarded', 'succeeded')
      returning run.event_id, run.handler, run.due_at`,
    discard: `
      update ${runs} as run
      set status = 'discarded', finished_at = clock_timestamp(), due_at = null, fingerprint = null,
          note = coalesce($3, run.note)
      ${wanted} and run.status in ('pending', 'retrying', 'dead')
      returning run.event_id, run.handler, run.order_key`,
    failing: `
      select from ${runs} as run, unnest($1::text[], $2::text[]) as wanted(event_id, handler)
      where run.event_id = wanted.event_id and run.handler = wanted.handler
        and (run.status = 'dead' or run.status = 'retrying')`,
    due: `
      select event_id, handler, due_at from ${runs}
      where handler = $1 and event_id > $2 and status in ('pending', 'retrying') and due_at <= statement_timestamp()
      order by event_id limit $3`,
    pause: `
      insert into ${handlers} as handler (name, paused_at, pause_reason)
      values ($1, case when $2 then clock_timestamp() end, $3)
      on conflict (name) do update
      set paused_at = case when $2 then coalesce(handler.paused_at, excluded.paused_at) end, pause_reason = $3`,
  }
}
