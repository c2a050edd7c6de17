/** The ledger: one row per event, the parts of it that are forgotten, and its totals by time. */

/**
 * `events` is small and stays for ever. What is large or personal, bodies and changes, is in tables that are partitioned by
 * time: forgetting is truncating an old partition, which gives the disk back and touches nothing that a delivery writes.
 * `database/partitions.ts` makes partitions ahead; what has none goes into the default one, so that no delivery ever fails
 * for lack of a partition. `filed_at` is the event's `received_at`, or infinity once a run has outlived the partition.
 *
 * A list of events is filtered by type, or by an outcome other than the usual one, and always ordered by receipt.
 *
 * `event_minutes` is counted in the ledger's transaction, so that no list has to count events. Several connections count
 * at the same time: each has its own rows (`backend`), or they would wait for one another's commit. `event_spans` adds the
 * minutes up, so that charts stay fast and minutes need not be kept for ever.
 */
export const LEDGER = `
create table events (
  id text not null primary key,
  type text,
  resource text,
  resource_id text,
  instance_id text,
  source text not null default 'webhook',
  traceparent text,
  occurred_at timestamptz not null,
  received_at timestamptz(3) not null default now(),
  outcome text not null,
  reason text,
  error text,
  deliveries integer not null default 1,
  last_delivered_at timestamptz,
  replayed_at timestamptz,
  body_conflict boolean not null default false,
  body_sha256 bytea not null,
  redacted boolean not null default false,
  secret_body bytea
) with (toast_tuple_target = 8160);
create index on events (received_at, id);
create index on events (resource_id, occurred_at);
create index on events (type, received_at, id);
create index on events (outcome, received_at, id) include (type) where outcome <> 'applied';
create index on events (source, received_at, id) where source <> 'webhook';
create index on events (received_at) where secret_body is not null;

create table event_bodies (
  event_id text not null,
  filed_at timestamptz(3) not null default now(),
  body bytea not null,
  primary key (filed_at, event_id)
) partition by range (filed_at);
create table event_bodies_default partition of event_bodies default with (toast_tuple_target = 8160);

create table event_changes (
  event_id text not null,
  filed_at timestamptz(3) not null default now(),
  changes json not null,
  primary key (filed_at, event_id)
) partition by range (filed_at);
create table event_changes_default partition of event_changes default with (toast_tuple_target = 8160);

create table event_minutes (
  minute timestamptz not null,
  backend integer not null,
  outcome text not null,
  lag_step smallint not null,
  events integer not null,
  primary key (minute, backend, outcome, lag_step)
) with (fillfactor = 50);

create table event_spans (
  span timestamptz not null,
  outcome text not null,
  lag_step smallint not null,
  events integer not null,
  primary key (span, outcome, lag_step)
);

create table refusals (
  minute timestamptz not null,
  code text not null,
  requests integer not null,
  last_at timestamptz not null,
  message text not null,
  request json,
  primary key (minute, code)
);

create table releases (
  release text not null primary key,
  started_at timestamptz not null default now()
);
create index on releases (started_at);
`
