/**
 * Alerts sent by the alert hook, one row per kind. The row lets several processes send one message, and lets `doctor`
 * report a failing hook.
 */

export const ALERTS = `
create table alerts (
  name text not null primary key,
  began_at timestamptz not null,
  ended_at timestamptz,
  summary text not null,
  begin_sent_at timestamptz,
  end_sent_at timestamptz,
  sending_until timestamptz,
  failed_at timestamptz,
  failure text
);
`
