/** Failures that somebody knows of and does not want to hear about for a while. */

export const name = '0007_mutes'

/** Frozen, as every released migration. */
export const sql = `
create table failure_mutes (
  handler text not null,
  fingerprint text not null,
  until timestamptz not null,
  primary key (handler, fingerprint)
);
`
