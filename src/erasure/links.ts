/** Which rows are about a person: from the catalogue, as conditions in SQL. $1 the ids of users, $2 addresses in lower case. */

import { RESOURCES } from '../clerk/catalogue.ts'
import type { Resource, Share } from '../clerk/resource.ts'
import { quoteIdentifier } from '../database/identifier.ts'

export interface Link {
  readonly resource: Resource
  readonly share: Share
  /** Of rows of the resource's table. */
  readonly condition: string
}

/** Of a parameter that a condition does not mention Postgres would not know the type. */
const HAVE_TYPES = '$1::text[] is not null and $2::text[] is not null'

/** The rows that are all about a person first, then those of which some fields are. The users' own rows are not among them. */
export function findLinks(): Link[] {
  const links = [...RESOURCES.values()]
    .flatMap(linksOf)
    .map((link) => ({ ...link, condition: `(${link.condition}) and ${HAVE_TYPES}` }))
  return [...links.filter(({ share }) => share === 'all'), ...links.filter(({ share }) => share !== 'all')]
}

function linksOf(resource: Resource): Link[] {
  const parents = Object.entries(resource.parents ?? {})
    .filter(([, table]) => table === 'users')
    .map(([column]) => [column, 'all'] as const)
  const users = [...parents, ...Object.entries(resource.person?.users ?? {})].map(([column, share]) => ({
    share,
    condition: `${quoteIdentifier(column)} = any($1::text[])`,
  }))
  const addresses = Object.entries(resource.person?.addresses ?? {}).map(([column, share]) => ({
    share,
    condition: `lower(${quoteIdentifier(column)}) = any($2::text[])`,
  }))
  const whole = [...users, ...addresses].filter(({ share }) => share === 'all')
  const parts = [...users, ...addresses].filter(({ share }) => share !== 'all')
  return [
    ...(whole.length > 0
      ? [{ resource, share: 'all' as const, condition: whole.map((each) => each.condition).join(' or ') }]
      : []),
    ...parts.map((part) => ({ resource, ...part })),
  ]
}
