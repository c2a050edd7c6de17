/** Who did what in the dashboard. */

export const AUDIT = `
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
`
