/** What a sweep that names nothing does not read, because Clerk has no list of all of it. */

import { isWhole } from '../clerk/api-description.ts'
import { RESOURCES, type ResourceName } from '../clerk/catalogue.ts'
import type { Resource } from '../clerk/resource.ts'

/** A table that a reconcile did not read. */
export interface UnreadResource {
  readonly resource: ResourceName
  /**
   * - `not_listed`: Clerk's API does not show it at all; what a missed event told is lost
   * - `on_request`: Clerk lists it per user, organization or machine, so that it is read only if it is named
   * - `where_items_differ`: as `on_request`, but it is also read again for owners of items that differed
   */
  readonly reason: 'not_listed' | 'on_request' | 'where_items_differ'
}

/**
 * @param kept the tables that are kept
 * @param read those that a run has read
 */
export function unreadOf(kept: ReadonlySet<string>, read: ReadonlySet<string> = new Set()): UnreadResource[] {
  const resources = [...RESOURCES.values()].filter(({ table }) => kept.has(table))
  const listed = resources.filter(({ api }) => api?.lists.some(isWhole))
  const shown = new Set(listed.flatMap(({ table, embeds = [] }) => [table, ...namesOf(embeds)]))
  const refreshed = new Set(listed.map(({ api }) => api?.refreshes?.resource))
  return resources
    .filter(({ table }) => !shown.has(table) && !read.has(table))
    .map((resource) => ({ resource: resource.table as ResourceName, reason: reasonOf(resource, refreshed) }))
}

function namesOf(embeds: NonNullable<Resource['embeds']>): string[] {
  return embeds.map(({ resource }) => resource)
}

function reasonOf(
  { table, api }: Resource,
  refreshed: ReadonlySet<string | undefined>,
): UnreadResource['reason'] {
  if (!api || api.lists.length === 0) return 'not_listed'
  return refreshed.has(table) ? 'where_items_differ' : 'on_request'
}

/** A sentence for each reason that applies. */
export function coverageSentences(unread: readonly UnreadResource[]): string[] {
  return UNREAD.flatMap(([reason, sentence]) => {
    const names = unread.filter((each) => each.reason === reason).map(({ resource }) => resource)
    return names.length > 0 ? [sentence(names)] : []
  })
}

type Sentence = (names: readonly string[]) => string

const UNREAD: readonly (readonly [UnreadResource['reason'], Sentence])[] = [
  [
    'where_items_differ',
    (names) =>
      `${names.join(', ')}: read again only where their items differed; \`clerk-sync reconcile ${names.join(' ')}\` reads all, a request for each owner.`,
  ],
  [
    'on_request',
    (names) =>
      `${names.join(', ')}: read only if named, a request for each owner: \`clerk-sync reconcile ${names.join(' ')}\`.`,
  ],
  ['not_listed', (names) => `${names.join(', ')}: Clerk's API does not list them; only events bring them.`],
]
