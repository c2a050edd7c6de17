/**
 * For the request that comes before its webhook: the row, or one look at Clerk.
 *
 * Right after a sign-up the application knows the user's id from the session, while the event is still under way. What
 * Clerk shows passes the same guard as the event, so that it does not matter which of them comes first.
 */

import type { Selectable } from 'kysely'
import type { ApiCall, ClerkApi } from '../clerk/api/client.ts'
import type { Item } from '../clerk/api/reply.ts'
import { fillPath, fillQuery } from '../clerk/api-description.ts'
import { CATALOGUE, type ResourceName } from '../clerk/catalogue.ts'
import type { Privacy } from '../clerk/privacy.ts'
import { type Resource, readColumns } from '../clerk/resource.ts'
import type { Database } from '../database/database.ts'
import { available } from '../database/failure.ts'
import type { ClerkTables, MirroredRow } from '../database/tables.ts'
import { findTombstones } from '../database/tombstones.ts'
import type { Ingest } from '../ingest/ingest.ts'
import { observeItem } from '../ingest/observation.ts'
import { requireId } from '../validate.ts'
import { refusedAmong, requireApplied } from './confirm.ts'
import { findInstance } from './instance.ts'
import { requireKept } from './kept.ts'
import { parentMissingSince } from './lookup.ts'

/** A row of a mirrored table. */
export type Row<Name extends ResourceName> = Selectable<ClerkTables[Name]> & Selectable<MirroredRow>

/** What identifies the row: columns with their values, `id` or those of a parent and a member. */
type Key = Readonly<Record<string, string>>

export interface EnsurerOptions {
  readonly database: Database
  readonly ledger: Ingest
  /** Asked only when a row is missing. */
  readonly api: () => ClerkApi
  readonly instanceIds: ReadonlySet<string>
  /** The tables that are kept. */
  readonly resources: ReadonlySet<string>
  /** Undefined if everything is stored. */
  readonly privacy: Privacy | undefined
}

export class Ensurer {
  readonly #options: EnsurerOptions
  /** Concurrent calls for one resource share one fetch. */
  readonly #underWay = new Map<string, Promise<void>>()
  /** Of the secret key, asked for once. */
  #instance: Promise<string | null> | undefined

  constructor(options: EnsurerOptions) {
    this.#options = options
  }

  /**
   * The live row, fetched from Clerk if there is none. Undefined for what was deleted or does not exist.
   * @throws {ClerkSyncError} `api_…`, `database_…`, `id_invalid`, `resource_not_kept`, `repair_refused`
   */
  async ensure<Name extends ResourceName>(name: Name, key: Key): Promise<Row<Name> | undefined> {
    requireKept(name, this.#options.resources)
    for (const [column, value] of Object.entries(key)) requireId(column, value)
    const known = await this.#find(name, key)
    if (known?.deleted_at === null) return known
    // A deletion is final for an id, so that a deleted user's token causes no requests to Clerk. But a user who left an
    // organization may have joined it again.
    if ('id' in key && (known || (await this.#isGone(name, key.id as string)))) return undefined
    const flight = JSON.stringify([name, key])
    const fetching = this.#underWay.get(flight) ?? this.#fetch(name, key)
    this.#underWay.set(flight, fetching)
    await fetching.finally(() => this.#underWay.delete(flight))
    const found = await this.#find(name, key)
    return found?.deleted_at === null ? found : undefined
  }

  /** Prefers a live row: a user who left an organization and joined it again has two. */
  async #find<Name extends ResourceName>(name: Name, key: Key): Promise<Row<Name> | undefined> {
    let query = this.#options.database.queries.selectFrom(name as 'users').selectAll()
    for (const [column, value] of Object.entries(key)) query = query.where(column as 'id', '=', value)
    const rows = await available(query.execute())
    return (rows.find(({ deleted_at }) => deleted_at === null) ?? rows[0]) as Row<Name> | undefined
  }

  async #isGone(name: ResourceName, id: string): Promise<boolean> {
    const tombstones = await available(findTombstones(this.#options.database.queries, name, [id]))
    return tombstones.length > 0
  }

  async #fetch(name: ResourceName, key: Key): Promise<void> {
    const { api, ledger, privacy } = this.#options
    const resource: Resource = CATALOGUE[name]
    const [shown, instanceId] = await Promise.all([lookFor(api(), resource, key, {}), this.#findInstance()])
    if (shown === null) return
    const source = { eventId: null, instanceId, observedAt: shown.observedAt, isConfirmed: true, privacy }
    const observations = observeItem(source, resource, shown.item)
    requireApplied(name, refusedAmong(name, observations, await ledger.apply(observations)))
  }

  /**
   * A row without an instance would be taken for its own by the reconcile of every other one, and deleted.
   * @throws {ClerkSyncError} `api_wrong_instance`, `api_…`
   */
  #findInstance(): Promise<string | null> {
    const { api, instanceIds } = this.#options
    this.#instance ??= findInstance(api(), instanceIds, {}).catch((error) => {
      this.#instance = undefined
      throw error
    })
    return this.#instance
  }
}

interface Found {
  readonly item: Item
  readonly observedAt: Date
}

async function lookFor(api: ClerkApi, resource: Resource, key: Key, call: ApiCall): Promise<Found | null> {
  const { get, find } = resource.api ?? {}
  if (get) {
    const { item, observedAt } = await api.item(fillPath(get, key), call)
    return item && { item, observedAt }
  }
  if (!find) return null
  const page = await api.page(fillPath(find.path, key), fillQuery(find.query, key), call).catch((error) => {
    if (parentMissingSince(find, error)) return null
    throw error
  })
  if (page === null) return null
  const { items, observedAt } = page
  const item = items.find((each) => matches(readColumns(resource.columns, each.data), key))
  return item ? { item, observedAt } : null
}

function matches(columns: Readonly<Record<string, unknown>>, key: Key): boolean {
  return Object.entries(key).every(([name, value]) => columns[name] === value)
}
