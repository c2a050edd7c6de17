/** What the dashboard reads: totals by the minute, refused requests, who did what, and the indexes of its lists. */

export const name = '0005_overview'

/**
 * `event_minutes` is counted in the ledger's transaction, so that no list has to count events. Several connections count
 * at the same time: each has its own rows (`backend`), or they would wait for one another's commit.
 *
 * A list of events is filtered by type, or by an outcome other than the usual one, and always ordered by receipt.
 */
export const sql = `
create table event_minutes (
  minute timestamptz not null,
  backend integer not null,
  outcome text not null,
  lag_step smallint not null,
  events integer not null,
  primary key (minute, backend, outcome, lag_step)
) with (fillfactor = 50);
insert into event_minutes (minute, backend, outcome, lag_step, events)
select date_trunc('minute', received_at), -1, outcome,
  case when source = 'webhook'
    then floor(2 / ln(2::float8) * ln(greatest(1, extract(epoch from received_at - occurred_at)::float8 * 1000))) else -1 end,
  count(*)
from events group by 1, 3, 4;

create table refusals (
  minute timestamptz not null,
  code text not null,
  requests integer not null,
  last_at timestamptz not null,
  message text not null,
  primary key (minute, code)
);

create table audit_log (
  id text not null primary key,
  at timestamptz not null default now(),
  actor text not null,
  role text not null,
  action text not null,
  target text,
  reason text,
  details jsonb,
  succeeded boolean not null
);
create index on audit_log (at, id);

drop index events_outcome_received_at_idx;
create index on events (outcome, received_at, id) include (type) where outcome <> 'applied';
create index on events (type, received_at, id);
create index on events (source, received_at, id) where source <> 'webhook';
create index on handler_runs (created_at, event_id) where fingerprint is not null;
`
