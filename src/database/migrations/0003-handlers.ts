/** Runs of the team's handlers: one row per event and handler. */

export const name = '0003_handlers'

/**
 * `due_at` is when a run is to be tried; of a running one, when its worker's lease ends. One index over it finds both what
 * is overdue and what was left by a worker that is gone.
 *
 * The unique index over running ordered runs is the lock that keeps two workers from running two events of one resource
 * at a time.
 */
export const sql = `
alter table events add column source text not null default 'webhook';
alter table events add column secret_body bytea;

create table handler_runs (
  event_id text not null,
  handler text not null,
  status text not null default 'pending',
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
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
) with (fillfactor = 80);
create index on handler_runs (due_at) where status in ('pending', 'retrying', 'running');
create index on handler_runs (handler, due_at) where status in ('pending', 'retrying');
create index on handler_runs (handler, fingerprint, created_at) where status in ('retrying', 'dead');
create index on handler_runs (handler, created_at);
create index on handler_runs (handler, order_key, occurred_at, event_id)
  where order_key is not null and status in ('pending', 'retrying', 'running', 'dead');
create unique index on handler_runs (handler, order_key) where order_key is not null and status = 'running';

create table handlers (
  name text not null primary key,
  paused_at timestamptz,
  pause_reason text
);
`
