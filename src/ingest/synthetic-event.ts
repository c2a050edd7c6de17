/**
 * Synthetic events: made from answers of the Backend API, to notify handlers of changes for which no webhook arrived.
 */

import { hash } from 'node:crypto'
import type { Entry } from './entry.ts'
import type { HandlerPort } from './handler-port.ts'
import type { Observation } from './observation.ts'
import type { NewEvent, TablePlan, Written } from './plan.ts'
import type { Notified, Stored } from './read.ts'

/** The synthetic events for observations of the Backend API. */
export interface Notification {
  readonly source: 'backfill' | 'reconcile'
  /** The type of the event for an observation, if there is one. */
  typeOf(observation: Observation): string | undefined
}

/** Whether this happens only once to a resource. */
export function happensOnce(type: string): boolean {
  return type.endsWith('.created') || type.endsWith('.deleted')
}

/**
 * The synthetic event for an applied observation; undefined if no handler wants it, or if an earlier event notified
 * them.
 */
export function syntheticEvent(
  observation: Observation,
  stored: Stored,
  tables: readonly TablePlan[],
  { source, typeOf }: Notification,
  handlers: HandlerPort,
): NewEvent | undefined {
  const type = typeOf(observation)
  if (type === undefined || !handlers.wants(type)) return undefined
  const { resource, id } = observation
  const row = stateOf(observation, stored, tables)
  if (row.raw === null || row.at === null) return undefined
  const entry = toEntry({ id, type, table: resource.table, source, ...row, raw: row.raw, at: row.at })
  if (isNotified(stored.notified, entry, observation)) return undefined
  return { entry, verdict: APPLIED, source, keepsSecrets: false }
}

const APPLIED = { outcome: 'applied', reason: null, changes: null } as const

/** The row as it is after the batch. */
function stateOf({ resource, id }: Observation, stored: Stored, tables: readonly TablePlan[]) {
  const known = stored.row(resource.table, id)
  const plan = tables.find((each) => each.resource === resource)
  const written = [...(plan?.inserts ?? []), ...(plan?.updates ?? [])].find((each) => each.id === id)
  const tombstoned = plan?.tombstoned.find((each) => each.id === id)
  const tombstone = written ? written.tombstone : (tombstoned?.tombstone ?? known?.tombstone ?? null)
  const shown = written ? versionOf(written) : known?.version
  return {
    raw: shown?.raw ?? null,
    at: tombstone?.deletedAt ?? shown?.updatedAt ?? shown?.observedAt ?? null,
    instanceId: written?.instanceId ?? known?.instanceId ?? null,
  }
}

function versionOf({ observation: { state, observedAt } }: Written) {
  return { raw: state?.raw ?? null, updatedAt: state?.updatedAt ?? null, observedAt }
}

function isNotified(notified: readonly Notified[], entry: Entry, { state }: Observation): boolean {
  const type = entry.type as string
  const since = happensOnce(type) ? 0 : (state?.updatedAt?.getTime() ?? 0)
  return notified.some(
    (each) =>
      each.id === entry.svixId ||
      (each.resource_id === entry.resourceId && each.type === type && each.occurred_at.getTime() >= since),
  )
}

interface SyntheticEventParts {
  readonly id: string
  readonly type: string
  readonly table: string
  readonly source: string
  readonly raw: Uint8Array
  readonly at: Date
  readonly instanceId: string | null
}

/**
 * The id is stable: derived from the resource, its state and the type, so that finding the same change again creates no
 * second event.
 */
function toEntry({ id, type, table, source, raw, at, instanceId }: SyntheticEventParts): Entry {
  const timestamp = at.getTime()
  const head = JSON.stringify({ object: 'event', type, timestamp, instance_id: instanceId }).slice(0, -1)
  const bytes = Buffer.concat([Buffer.from(`${head},"data":`), raw, Buffer.from('}')])
  return {
    svixId: `${source}_${id}_${type}_${timestamp}`,
    type,
    resource: table,
    resourceId: id,
    instanceId,
    occurredAt: at,
    updatedAt: undefined,
    body: { bytes, sha256: hash('sha256', bytes, 'buffer'), withSecrets: null },
    observations: [],
    mentioned: [],
    verdict: APPLIED,
  }
}
