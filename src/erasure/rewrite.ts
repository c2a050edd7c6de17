/** Rows of somebody else's that hold something of an erased person: that part is removed, and the rest stays as it is. */

import type { Resource } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { qualify } from '../database/identifier.ts'
import { exactlyShown, type Observation, withoutShare } from '../ingest/observation.ts'
import type { Written } from '../ingest/plan.ts'
import { toParameters } from '../ingest/rows.ts'
import type { Statements } from '../ingest/statements.ts'
import { isHashed } from '../ingest/version.ts'

interface StoredRow {
  readonly id: string
  readonly raw: string | null
  readonly clerk_updated_at: Date | null
  readonly observed_at: Date | null
  readonly deleted_at: Date | null
  readonly event_id: string | null
  readonly instance_id: string | null
}

/** Rebuilt from their own `raw`, without the fields. */
export async function rewriteRows(
  database: Database,
  statements: Statements,
  resource: Resource,
  ids: readonly string[],
  fields: readonly string[],
): Promise<void> {
  const text = `
    select id, raw::text as raw, clerk_updated_at, observed_at, deleted_at, event_id, instance_id
    from ${qualify(database.schema, resource.table)} where id = any($1::text[]) order by id for update`
  const transaction = await database.beginRepairs([{ text, parameters: [ids] }])
  const rows = (transaction.rows[0] ?? []) as readonly StoredRow[]
  const written = rows.flatMap((row) => toWritten(resource, row, fields))
  if (written.length === 0) return transaction.rollback()
  const { columns, update } = statements.of(resource)
  await transaction.commit([{ text: update, parameters: toParameters(columns, written) }])
}

function toWritten(resource: Resource, row: StoredRow, fields: readonly string[]): Written[] {
  // Of an anonymised row nothing of anybody is left.
  if (row.raw === null || row.observed_at === null || isHashed(Buffer.from(row.raw))) return []
  const { id, event_id: eventId, instance_id: instanceId } = row
  const stored: Observation = {
    resource,
    id,
    state: { data: JSON.parse(row.raw), raw: Buffer.from(row.raw), updatedAt: row.clerk_updated_at },
    isDeletion: false,
    observedAt: row.observed_at,
    eventId,
    instanceId,
  }
  const tombstone = row.deleted_at && { deletedAt: row.deleted_at, eventId }
  const observation = withoutShare(stored, fields)
  return [{ id, observation, exact: exactlyShown(observation), tombstone, instanceId, changed: null }]
}
