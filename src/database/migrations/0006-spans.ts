/** Spans of ten minutes added up from the minutes, so that charts stay fast and minutes need not be kept for ever. */

export const name = '0006_spans'

/** Frozen, as every released migration. Filled by the first upkeep. */
export const sql = `
create table event_spans (
  span timestamptz not null,
  outcome text not null,
  lag_step smallint not null,
  events integer not null,
  primary key (span, outcome, lag_step)
);
`
