/** Work that outlives its process: jobs, what sweeps have seen, what is still to be asked or cascaded, maintenance. */

export const JOBS = `
create table jobs (
  id text not null primary key,
  kind text not null,
  status text not null,
  scope jsonb not null,
  checkpoint jsonb,
  progress jsonb not null default '{}',
  report jsonb,
  error jsonb,
  worker text,
  lease_until timestamptz,
  runs integer not null default 1,
  created_at timestamptz not null default now(),
  started_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  finished_at timestamptz
);
create unique index jobs_one_running on jobs (kind) where status = 'running';
create index on jobs (created_at);

create table sweep_seen_ids (
  job_id text not null,
  resource text not null,
  id text not null,
  primary key (job_id, resource, id)
);

create table sweep_starts (
  resource text not null,
  instance_id text not null,
  started_at timestamptz not null,
  primary key (resource, instance_id)
);

create table pending_verifications (
  resource text not null,
  id text not null,
  asked_at timestamptz,
  primary key (resource, id)
);

create table pending_cascades (
  resource text not null,
  parent_column text not null,
  parent_id text not null,
  after_id text not null default '',
  primary key (resource, parent_column, parent_id)
);

create table tombstones (
  resource text not null,
  id text not null,
  deleted_at timestamptz not null,
  event_id text,
  instance_id text,
  primary key (resource, id)
);
create index on tombstones (resource, deleted_at);

create table maintenance (
  id integer not null default 1 primary key check (id = 1),
  holder text,
  lease_until timestamptz not null,
  ended_at timestamptz
);

create table retention_log (
  part text not null,
  received_before timestamptz not null,
  forgotten_at timestamptz not null default now(),
  primary key (part, received_before)
);

create table api_budgets (
  key text not null primary key,
  next_at timestamptz not null
);
`
