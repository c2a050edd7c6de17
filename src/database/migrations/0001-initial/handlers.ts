/** The team's handlers: one run per event and handler, the workers, and what people decided about them. */

/**
 * A run that starts or ends changes no indexed column but `due_at`, which is null once no attempt is due: claims are
 * HOT updates, and only an end writes index entries. No index mentions `status`. A worker's lease is a row of
 * `handler_workers`, so that a heartbeat touches no run. The row of the worker that ended last is kept for its time: in
 * serverless apps a worker lives for seconds, and doctor warns only if no worker has run for longer.
 *
 * A run's row grows when it is claimed, so that the fill factor leaves half of each page free.
 *
 * A dead run has no `due_at` and keeps its `fingerprint`; a run that succeeded or was discarded has neither.
 */
export const HANDLERS = `
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
create index on handler_runs (created_at, event_id) where fingerprint is not null;
create index on handler_runs (finished_at)
  where history is not null and fingerprint is null and finished_at is not null;

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

create table failure_mutes (
  handler text not null,
  fingerprint text not null,
  until timestamptz not null,
  primary key (handler, fingerprint)
);
`
