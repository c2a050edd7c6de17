/** Which runs people mean. */

import { type RawBuilder, sql } from 'kysely'
import { SECRETS_FORGOTTEN } from '../database/secrets.ts'
import type { RunStatus } from '../database/tables.ts'

/** All conditions must hold; an empty filter means every run. */
export interface RunFilter {
  /** Handlers, by name. */
  readonly handlers?: readonly string[] | undefined
  readonly statuses?: readonly RunStatus[] | undefined
  /** Groups of failures that differ only in ids and numbers. */
  readonly fingerprints?: readonly string[] | undefined
  /** svix-ids. */
  readonly eventIds?: readonly string[] | undefined
  /** Recorded at or after. */
  readonly since?: Date | undefined
  /** Recorded before. */
  readonly until?: Date | undefined
  /** Of events whose secrets were forgotten, or of all others. */
  readonly secretsForgotten?: boolean | undefined
}

/** The filter as a condition on `handler_runs`. */
export function condition(filter: RunFilter, schema: string): RawBuilder<boolean> {
  const { handlers, statuses, fingerprints, eventIds, since, until, secretsForgotten } = filter
  const conditions = [
    handlers && sql<boolean>`handler = any(${handlers})`,
    statuses && sql<boolean>`status = any(${statuses})`,
    fingerprints && sql<boolean>`fingerprint = any(${fingerprints})`,
    eventIds && sql<boolean>`event_id = any(${eventIds})`,
    since && sql<boolean>`created_at >= ${since}`,
    until && sql<boolean>`created_at < ${until}`,
    secretsForgotten !== undefined &&
      sql<boolean>`${secretsForgotten} = exists (
        select from ${sql.table(`${schema}.events`)} as event
        where event.id = handler_runs.event_id and ${sql.raw(SECRETS_FORGOTTEN)})`,
  ]
  return sql<boolean>`(true ${sql.join(
    conditions.flatMap((each) => (each ? [sql`and ${each}`] : [])),
    sql` `,
  )})`
}
