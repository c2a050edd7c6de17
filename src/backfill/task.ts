/** What the sweeps of one job share, and the part of it that a repair needs. */

import type { Kysely } from 'kysely'
import type { ApiCall, ClerkApi } from '../clerk/api/client.ts'
import type { Item } from '../clerk/api/reply.ts'
import type { Privacy } from '../clerk/privacy.ts'
import type { Resource } from '../clerk/resource.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Ingest } from '../ingest/ingest.ts'
import { type Observation, observeItem } from '../ingest/observation.ts'
import type { Notification } from '../ingest/synthetic-event.ts'
import type { DriftKind } from './compare.ts'
import type { DriftReport } from './progress.ts'
import { syntheticTypeFor } from './synthetic-type.ts'

/** The dependencies for reading from Clerk and writing the answers. */
export interface Repair {
  /** The job that it is part of, if it is one. */
  readonly jobId: string | null
  readonly api: ClerkApi
  readonly call: ApiCall
  readonly database: Kysely<ClerkTables>
  readonly schema: string
  readonly ledger: Pick<Ingest, 'apply'>
  /** The tables that are kept. */
  readonly resources: ReadonlySet<string>
  /** Undefined if everything is stored. */
  readonly privacy: Privacy | undefined
  /** The Clerk instance that the secret key belongs to, if it is known. */
  readonly instanceId: string | null
  /** Whether handlers are notified of changes for which no event arrived. */
  readonly notifiesHandlers: boolean
  /** A backfill writes missing and stale rows; a reconcile also finds rows that were edited or deleted. */
  readonly isReconcile: boolean
}

export interface Task extends Repair {
  readonly jobId: string
  /** Without it, everything is compared and nothing written. */
  readonly writes: boolean
  /** Whether differences lead on to what is shown per owner: not as long as everything is missing. */
  readonly refreshes: boolean
  /** So many rows may be found deleted in Clerk without being suspicious; null for the usual rule. */
  readonly maxDeletions: number | null
  readonly report: DriftReport
}

/** The notification of handlers about differences; undefined if they get none. */
export function notificationFor(
  { notifiesHandlers, isReconcile }: Repair,
  kinds: ReadonlyMap<Observation, DriftKind>,
): Notification | undefined {
  if (!notifiesHandlers) return undefined
  const typeOf = (observation: Observation) => {
    const kind = kinds.get(observation)
    return kind && syntheticTypeFor(kind, observation)
  }
  return { source: isReconcile ? 'reconcile' : 'backfill', typeOf }
}

/** What Clerk showed of an item: the item itself first, then what it holds of kept tables. */
export function observationsOf(
  { jobId, instanceId, resources, privacy }: Repair,
  resource: Resource,
  item: Item,
  observedAt: Date,
  isConfirmed = false,
): [Observation, ...Observation[]] {
  const source = { eventId: jobId, instanceId, observedAt, isConfirmed, privacy }
  const [primary, ...inner] = observeItem(source, resource, item)
  return [primary as Observation, ...inner.filter((each) => resources.has(each.resource.table))]
}
