/** One resource as Clerk has it now, for people who compare it with our row and want it repaired. `sync.clerk` */

import type { ClerkApi } from '../clerk/api/client.ts'
import type { Item } from '../clerk/api/reply.ts'
import { CATALOGUE, type ResourceName } from '../clerk/catalogue.ts'
import type { Payload } from '../clerk/payloads.ts'
import type { Resource } from '../clerk/resource.ts'
import { redact } from '../clerk/secrets.ts'
import type { Database } from '../database/database.ts'
import { available } from '../database/failure.ts'
import { ClerkSyncError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { observeItem } from '../ledger/observation.ts'
import { type Answer, canLookUp, lookUp, type Wanted } from './lookup.ts'

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
   * Asks Clerk for one resource.
   * @throws {ClerkSyncError} `api_…`; `feature_unavailable` for a kind that Clerk does not show one by one
   */
  show(resource: ResourceName, id: string): Promise<ShownResource>
  /**
   * Asks Clerk for one resource and applies what it shows, deletions included, under the same guard as events.
   * @throws {ClerkSyncError} as {@link show}, and `database_…`
   */
  apply(resource: ResourceName, id: string): Promise<ShownResource>
}

export interface ClerkViewParts {
  readonly isConfigured: boolean
  readonly database: Database
  readonly ledger: Ledger
  readonly api: () => ClerkApi
  readonly instanceIds: ReadonlySet<string>
  /** Makes sure that the tables are there. */
  readonly prepare: () => Promise<unknown>
}

export function createClerkView(parts: ClerkViewParts): ClerkView {
  return {
    isConfigured: parts.isConfigured,
    show: async (name, id) => toShown(CATALOGUE[name], await ask(parts, name, id)),
    apply: async (name, id) => {
      const answer = await ask(parts, name, id)
      await apply(parts, name, answer)
      return toShown(CATALOGUE[name], answer)
    },
  }
}

async function ask(
  { api, database, prepare }: ClerkViewParts,
  name: ResourceName,
  id: string,
): Promise<Answer> {
  await prepare()
  if (!canLookUp(CATALOGUE[name])) {
    throw new ClerkSyncError('feature_unavailable', `Clerk does not show ${name} one by one`)
  }
  // Clerk asks for some resources' parents too.
  const row = database.queries
    .selectFrom(name as 'users')
    .selectAll()
    .where('id', '=', id)
  const wanted = { ...(await available(row.executeTakeFirst())), id } as unknown as Wanted
  const [answer] = await lookUp(api(), CATALOGUE[name], [wanted], { maxTries: MAX_TRIES })
  return answer as Answer
}

async function apply(
  { ledger, instanceIds }: ClerkViewParts,
  name: ResourceName,
  { id, item, observedAt }: Answer,
): Promise<void> {
  const [instanceId = null] = instanceIds.size === 1 ? instanceIds : []
  const source = { eventId: null, instanceId, observedAt }
  const resource: Resource = CATALOGUE[name]
  const observations = item
    ? observeItem({ ...source, isConfirmed: true }, resource, item)
    : [{ ...source, resource, id, state: null, isDeletion: true }]
  await ledger.apply(observations)
}

function toShown(resource: Resource, { item, observedAt }: Answer): ShownResource {
  const isPartial = (resource.api?.shape ?? 'same') !== 'same'
  return { data: item && withoutSecrets(resource, item), observedAt, isPartial }
}

function withoutSecrets({ secrets }: Resource, { data }: Item): Payload {
  const redactions = secrets?.(data) ?? []
  return redactions.length === 0 ? data : redact(data, redactions)
}
