/** One resource as Clerk has it now, for people who compare it with our row and want it repaired. `sync.clerk` */

import type { Item } from '../clerk/api/reply.ts'
import { CATALOGUE, type ResourceName } from '../clerk/catalogue.ts'
import type { Payload } from '../clerk/payloads.ts'
import type { Resource } from '../clerk/resource.ts'
import { redact } from '../clerk/secrets.ts'
import { available } from '../database/failure.ts'
import { ClerkSyncError } from '../errors.ts'
import { requireId } from '../validate.ts'
import { ask, openRepair, type RepairParts, repairRows, requireApplied } from './confirm.ts'
import { findInstance } from './instance.ts'
import { requireKept } from './kept.ts'
import { type Answer, canLookUp, type Wanted } from './lookup.ts'
import type { Repair } from './task.ts'

/** A person waits for it, who can ask again. */
const MAX_TRIES = 2

/** What Clerk shows of a resource. */
export interface ShownResource {
  /** Its JSON, without secrets; null if Clerk has no such resource. */
  readonly data: Payload | null
  /** When Clerk was asked. */
  readonly observedAt: Date
  /** Fields that Clerk's API leaves out or names otherwise than its events say nothing about the row. */
  readonly isPartial: boolean
}

/** A look at Clerk. */
export interface ClerkView {
  /** Whether there is a secret key to ask with. */
  readonly isConfigured: boolean
  /**
   * Asks Clerk for the instance that the secret key belongs to; null if Clerk does not tell.
   * @throws {ClerkSyncError} `api_…`
   */
  instanceId(signal?: AbortSignal): Promise<string | null>
  /**
   * Asks Clerk for one resource.
   * @throws {ClerkSyncError} `api_…`, `database_…`, `id_invalid`, `resource_not_kept`; `feature_unavailable` for what it cannot be asked for: a kind that it
   * does not show one by one, a row of another instance, or what no row tells the organization of
   */
  show(resource: ResourceName, id: string): Promise<ShownResource>
  /**
   * Asks Clerk for one resource and applies what it shows, deletions included, under the same guard as events.
   * @throws {ClerkSyncError} as {@link show}, and `repair_refused`
   */
  apply(resource: ResourceName, id: string): Promise<ShownResource>
}

export interface ClerkViewParts extends RepairParts {
  readonly isConfigured: boolean
  /** Makes sure that the tables are there. */
  readonly prepare: () => Promise<unknown>
}

export function createClerkView(parts: ClerkViewParts): ClerkView {
  return {
    isConfigured: parts.isConfigured,
    instanceId: async (signal) => findInstance(parts.api(), parts.instanceIds, { signal }),
    show: async (name, id) => {
      const { answer } = await look(parts, name, id)
      return toShown(CATALOGUE[name], answer)
    },
    apply: async (name, id) => {
      const { repair, row, answer } = await look(parts, name, id)
      // Without a row there is nothing to delete; a tombstone would only be in the way of an event that is yet to come.
      if (row || answer.item) requireApplied(name, await repairRows(repair, CATALOGUE[name], [answer]))
      return toShown(CATALOGUE[name], answer)
    },
  }
}

/** A row as it is here, as far as Clerk must be asked with it. */
type Known = Wanted & { readonly instance_id: string | null }

interface Look {
  readonly repair: Repair
  /** Undefined if there is none. */
  readonly row: Known | undefined
  readonly answer: Answer
}

async function look(parts: ClerkViewParts, name: ResourceName, id: string): Promise<Look> {
  const resource: Resource = CATALOGUE[name]
  requireKept(name, parts.resources)
  requireId('id', id)
  if (!canLookUp(resource)) throw unavailable(`Clerk does not show ${name} one by one`)
  await parts.prepare()
  const row = await find(parts, name, id)
  const repair = await openRepair(parts, { maxTries: MAX_TRIES })
  requireSameInstance(row, repair.instanceId)
  const [answer] = await ask(repair, resource, [row ?? { id }])
  if (!answer)
    throw unavailable(`Clerk cannot be asked for ${name} without what they belong to, and no row tells that`)
  return { repair, row, answer }
}

function find({ database }: ClerkViewParts, name: ResourceName, id: string): Promise<Known | undefined> {
  const query = database.queries
    .selectFrom(name as 'users')
    .selectAll()
    .where('id', '=', id)
  return available(query.executeTakeFirst())
}

/** Of another instance's, this one knows nothing, which would look as if it had been deleted. */
function requireSameInstance(row: Known | undefined, instanceId: string | null): void {
  if (!row?.instance_id || !instanceId || row.instance_id === instanceId) return
  throw unavailable(`the row is of the Clerk instance ${row.instance_id}, the secret key of ${instanceId}`)
}

function unavailable(detail: string): ClerkSyncError {
  return new ClerkSyncError('feature_unavailable', detail)
}

function toShown(resource: Resource, { item, observedAt }: Answer): ShownResource {
  const isPartial = (resource.api?.shape ?? 'same') !== 'same'
  return { data: item && withoutSecrets(resource, item), observedAt, isPartial }
}

function withoutSecrets({ secrets }: Resource, { data }: Item): Payload {
  const redactions = secrets?.(data) ?? []
  return redactions.length === 0 ? data : redact(data, redactions)
}
