/** Whom a payload is about, and what is left of it without them. */

import { RESOURCES } from './catalogue.ts'
import { isObject } from './event.ts'
import type { Payload } from './payloads.ts'
import { listOf, type Resource, readerOf, type Share } from './resource.ts'
import { toStorableText } from './storable.ts'

/** A user or an address in a payload, and how much of the payload is about them. */
export interface Mention {
  readonly value: string
  readonly share: Share
}

/** The users that a payload is about. */
export function usersIn(resource: Resource, data: Payload): Mention[] {
  const itself = resource.table === 'users' ? [['id', 'all']] : []
  const parents = Object.entries(resource.parents ?? {}).filter(([, table]) => table === 'users')
  const links: (readonly [string, Share])[] = [
    ...(itself as [string, Share][]),
    ...parents.map(([column]) => [column, 'all'] as const),
    ...Object.entries(resource.person?.users ?? {}),
  ]
  return mentions(resource, data, links)
}

/** The addresses of people that a payload is about, in lower case. */
export function addressesIn(resource: Resource, data: Payload): Mention[] {
  const links = Object.entries(resource.person?.addresses ?? {})
  return mentions(resource, data, links).map(({ value, share }) => ({ value: value.toLowerCase(), share }))
}

function mentions(
  { columns }: Resource,
  data: Payload,
  links: readonly (readonly [string, Share])[],
): Mention[] {
  return links.flatMap(([column, share]) => {
    const value = readerOf(columns[column]?.source ?? column)(data)
    return typeof value === 'string' && value !== '' ? [{ value: toStorableText(value), share }] : []
  })
}

/** The whole resources inside a payload, and the payload's own, with their kinds. */
export function resourcesIn(resource: Resource, data: Payload): { resource: Resource; data: Payload }[] {
  const embedded = (resource.embeds ?? []).flatMap(({ resource: table, find }) =>
    find(data).map((inner) => ({ resource: RESOURCES.get(table) as Resource, data: inner })),
  )
  return [{ resource, data }, ...embedded]
}

/** Two shares together. */
export function together(a: Share | null, b: Share | null): Share | null {
  if (a === 'all' || b === 'all') return 'all'
  return a && b ? [...new Set([...a, ...b])] : (a ?? b)
}

/** A copy in which these fields, wherever they are, hold nothing but Clerk's ids. */
export function withoutFields<Value>(value: Value, fields: readonly string[]): Value {
  if (Array.isArray(value)) return value.map((member) => withoutFields(member, fields)) as Value
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([name, member]) => [
    name,
    fields.includes(name) ? idsOf(member) : withoutFields(member, fields),
  ])
  return Object.fromEntries(entries) as Value
}

/** Ids that Clerk made. An `external_id` is yours, and often an address. */
const CLERK_IDS = new Set(['id', 'object', 'user_id', 'organization_id', 'instance_id'])

function idsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(idsOf)
  if (!isObject(value)) return null
  return Object.fromEntries(Object.entries(value).filter(([name]) => CLERK_IDS.has(name)))
}

/** The values in a payload that lead to one person: addresses, user names, ids elsewhere. */
export function identifiersIn(resource: Resource, data: Payload): string[] {
  const own = identifyingValues(resource.columns, data)
  const members = (resource.children ?? []).flatMap(({ field, columns }) => {
    const list = data[field]
    return Array.isArray(list)
      ? list.filter(isObject).flatMap((member) => identifyingValues(columns, member))
      : []
  })
  return [...new Set([...own, ...members])]
}

function identifyingValues(columns: Resource['columns'], data: Payload): string[] {
  return Object.entries(columns).flatMap(([name, { privacy, source = name }]) => {
    if (privacy !== 'identifying') return []
    const value = readerOf(source)(data)
    return typeof value === 'string' && value !== '' ? [value] : []
  })
}

/** The addresses and numbers that a user has proved to be theirs. */
export function verifiedAddresses(user: Payload): string[] {
  const lists = [
    [user.email_addresses, 'email_address'],
    [user.phone_numbers, 'phone_number'],
  ] as const
  return lists.flatMap(([list, field]) =>
    listOf(list).flatMap((member) => {
      const { verification } = member
      const isVerified = isObject(verification) && verification.status === 'verified'
      return isVerified && typeof member[field] === 'string' ? [member[field]] : []
    }),
  )
}
