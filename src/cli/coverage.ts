/** Says what a reconcile that names nothing does not read, and what to do about it. */

import type { UnreadResource } from '../index.ts'

/** A sentence for each reason that applies. */
export function coverageSentences(unread: readonly UnreadResource[]): string[] {
  return REASONS.flatMap(([reason, sentence]) => {
    const names = unread.filter((each) => each.reason === reason).map(({ resource }) => resource)
    return names.length > 0 ? [sentence(names)] : []
  })
}

type Sentence = (names: readonly string[]) => string

const REASONS: readonly (readonly [UnreadResource['reason'], Sentence])[] = [
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
