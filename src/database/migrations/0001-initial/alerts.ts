/**
 * Trouble that the alert hook is told of: a row for each kind. It lets several processes send one message, and tells `doctor`
 * of a hook that fails.
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
