/** Runs of the team's handlers: one row per event and handler. */

export const name = '0003_handlers'

/**
 * A run that starts, beats or is ended changes no indexed column but `due_at`, which says when it is to be tried and is null
 * once nothing is: so claims are updates in place (HOT), and only an end writes index entries. That a run is under way stands
 * in `status`, which no index mentions; how long its worker may be silent stands in `handler_workers`, one row for each
 * worker, so that a heartbeat touches no run. The row of the worker that ended last is kept, as the time of its end: where
 * no process stays, a worker lives for seconds, and people are to be told only if none has come for longer.
 *
 * A run grows when it is claimed, so that a page is filled to less than half at first; the rest is used soon.
 *
 * A dead run has no `due_at` and keeps its `fingerprint`; a run that succeeded or was discarded has neither.
 */
export const sql = `
alter table events add column source text not null default 'webhook';
alter table events add column secret_body bytea;

create table handler_runs (
  event_id text not null,
  handler text not null,
  status text not null default 'pending',
  attempts integer not null default 0,
  due_at timestamptz default now(),
  claim text,
  worker text,
  order_key text,
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  error text,
  fingerprint text,
  history json,
  note text,
  primary key (event_id, handler)
) with (fillfactor = 40);
create index on handler_runs (handler, due_at) where due_at is not null;
create index on handler_runs (handler, order_key, occurred_at, event_id)
  where order_key is not null and (due_at is not null or fingerprint is not null);
create index on handler_runs (handler, fingerprint, created_at) where fingerprint is not null;
create index on handler_runs (handler, created_at);

create table handler_workers (
  id text not null primary key,
  lease_until timestamptz not null,
  has_ended boolean not null default false
) with (fillfactor = 20);

create table handlers (
  name text not null primary key,
  paused_at timestamptz,
  pause_reason text
);
`
