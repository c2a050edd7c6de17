/** Events that no webhook brought: made of rows, for handlers that are to run for them all the same. */

import type { Transaction } from 'kysely'
import { qualify } from '../database/identifier.ts'
import { query } from '../database/query.ts'
import type { ClerkTables, EventSource } from '../database/tables.ts'
import type { RecordedEvent } from './handler-port.ts'

export interface SyntheticEventParts {
  /** The table of the rows. */
  readonly resource: string
  /** Whose rows; each must be there, and have been seen alive. */
  readonly ids: readonly string[]
  /** Which event stands for what happened: `user.created`, … */
  readonly type: string
  readonly source: Exclude<EventSource, 'webhook'>
}

/**
 * Records synthetic events in the caller's transaction, and returns the new ones. Their ids are stable: derived from
 * the resource, its state and the type, so that finding the same change again creates no second event.
 */
export async function createSyntheticEvents(
  trx: Transaction<ClerkTables>,
  schema: string,
  { resource, ids, type, source }: SyntheticEventParts,
): Promise<RecordedEvent[]> {
  const events = qualify(schema, 'events')
  const rows = await query<{ id: string; resource_id: string; occurred_at: Date }>(
    trx,
    `with made as materialized (
      select
        concat_ws('_', $4::text, row.id, $2::text, floor(extract(epoch from ${VERSION}) * 1000)::bigint) as id,
        row.id as resource_id, row.instance_id, ${VERSION} as occurred_at,
        convert_to(concat('{"object":"event","type":', to_json($2::text),
          ',"timestamp":', floor(extract(epoch from ${VERSION}) * 1000)::bigint,
          ',"instance_id":', coalesce(to_json(row.instance_id)::text, 'null'), ',"data":', row.raw::text, '}'), 'UTF8') as body
      from ${qualify(schema, resource)} as row
      where row.id = any($1::text[]) and row.raw is not null and row.erased_at is null
      order by row.id
    ), recorded as (
      insert into ${events} (id, type, resource, resource_id, instance_id, occurred_at, outcome, source, body_sha256)
      select id, $2, $3, resource_id, instance_id, occurred_at, 'applied', $4, sha256(body) from made
      on conflict (id) do nothing returning id, resource_id, occurred_at
    ), filed as (
      insert into ${qualify(schema, 'event_bodies')} (event_id, body)
      select id, body from made join recorded using (id)
    )
    select * from recorded`,
    [ids, type, resource, source],
  )
  return rows.map((row) => ({
    eventId: row.id,
    type,
    resourceId: row.resource_id,
    occurredAt: row.occurred_at,
  }))
}

/** When it happened, as well as the row knows: a deletion by its tombstone. */
const VERSION = 'coalesce(row.deleted_at, row.clerk_updated_at, row.observed_at)'
