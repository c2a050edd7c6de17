/** Work that takes long and must survive its process, and what it needs to share: marks and a budget of requests. */

export const name = '0002_jobs'

/** Frozen, as every released migration. */
export const sql = `
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
create table sweep_marks (
  job_id text not null,
  resource text not null,
  id text not null,
  primary key (job_id, resource, id)
);
create table api_budgets (
  key text not null primary key,
  next_at timestamptz not null
);
`
