/** Rows that came late: whether Clerk still has what they show, nobody has asked yet. And what upkeep looks for. */

export const name = '0008_late'

/** Frozen, as every released migration. */
export const sql = `
create table sweep_starts (
  resource text not null,
  instance_id text not null,
  started_at timestamptz not null,
  primary key (resource, instance_id)
);

create table late_rows (
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

create index on events (received_at) where secret_body is not null;
`
