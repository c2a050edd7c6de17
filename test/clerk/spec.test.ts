/**
 * Everything that Clerk's official specifications name is in the catalogue, or stands here with a reason. The fixture is
 * made of them by scripts/clerk-spec.ts.
 */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { currentTypes, EVENT_TYPES, findEvent, RESOURCES } from '../../src/clerk/catalogue.ts'
import type { Payload } from '../../src/clerk/payloads.ts'
import { type Columns, type Resource, readColumns, readSource } from '../../src/clerk/resource.ts'

interface Shape {
  /** Separated by spaces. */
  readonly fields: string
  /** The fields of the objects in each list. */
  readonly members?: Readonly<Record<string, string>>
}

const SPEC = JSON.parse(readFileSync(new URL('../fixtures/clerk-spec.json', import.meta.url), 'utf8')) as {
  readonly events: Readonly<Record<string, Shape>>
  readonly reads: Readonly<Record<string, Shape>>
}

/** What every table has a column for, or has no use for. */
const STANDARD = new Set(['id', 'object', 'created_at', 'updated_at', 'instance_id'])

const TICKET = 'lets its reader in: redacted'
const COPY = 'a copy of another resource, which has a table of its own'

/** Fields that have no column, by table. They are in `raw`, unless they are redacted. */
const WITHOUT_COLUMN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  users: { organization_memberships: COPY },
  organization_memberships: {},
  organization_invitations: { url: TICKET },
  invitations: { url: TICKET },
  phone_numbers: { backup_codes: TICKET },
  subscription_items: {
    proration_date: 'belongs to the credit, and is empty outside of a change of plan',
  },
  payment_attempts: {
    payee_id: 'is in the column `payee`',
    payment_method_id: 'is in the column `payment_source`',
    subscription_item: COPY,
    gateway_external_url: 'a link into the payment provider’s dashboard',
  },
  directories: { api_key: TICKET },
  plans: { features: COPY },
  prices: { currency_symbol: 'follows from `currency`' },
}

/** What the Backend API shows and no table holds, by path. */
const WITHOUT_TABLE: Readonly<Record<string, string>> = {
  '/jwks': 'public keys, which verify tokens and change without notice',
  '/clients': 'Clerk answers 410',
  '/clients/{}': 'Clerk answers 410',
  '/email_addresses/{}': 'within users',
  '/phone_numbers/{}': 'within users',
  '/templates/{}': 'texts of messages',
  '/templates/{}/{}': 'texts of messages',
  '/users/count': 'a number',
  '/users/{}/oauth_access_tokens/{}': 'secrets',
  '/users/{}/organization_memberships': 'the same as /organization_memberships',
  '/users/{}/organization_invitations': 'the same as /organization_invitations',
  '/domains': 'where the instance itself is served',
  '/instance': 'one object: the settings of the instance',
  '/instance/protect': 'settings of the instance',
  '/instance/communication': 'settings of the instance',
  '/instance/oauth_application_settings': 'settings of the instance',
  '/instance/organization_settings': 'settings of the instance',
  '/jwt_templates': 'settings of the instance; signing keys among them',
  '/jwt_templates/{}': 'settings of the instance; signing keys among them',
  '/redirect_urls': 'settings of the instance',
  '/redirect_urls/{}': 'settings of the instance',
  '/machines/{}/secret_key': 'secrets',
  '/api_keys/{}/secret': 'secrets',
  '/organizations/{}/invitations/pending': 'a part of /organization_invitations',
  '/organizations/{}/invitations': 'the same as /organization_invitations',
  '/organizations/{}/domains': 'the same as /organization_domains',
  '/sign_ups/{}': 'gone when the sign-up is complete; there is no list',
  '/saml_connections': 'deprecated: enterprise connections hold them',
  '/saml_connections/{}': 'deprecated: enterprise connections hold them',
  '/enterprise_connections/{}/test_runs': 'tests that somebody made by hand',
  '/scim_directories': 'the old name of /directories',
  '/scim_directories/{}': 'the old name of /directories',
  '/scim_directories/{}/group_role_mappings': 'the old name of /directories/{}/group_role_mappings',
}

/** The fields that are read of a payload. */
function fieldsReadBy(read: (data: Payload) => unknown): Set<string> {
  const fields = new Set<string>()
  read(new Proxy({}, { get: (_, name) => void fields.add(String(name)), has: () => false }))
  return fields
}

function fieldsOf({ columns, children = [], embeds = [], createdAt = [] }: Resource): Set<string> {
  const lists = children.map(({ field }) => field)
  const inner = embeds.flatMap(({ find }) => [...fieldsReadBy(find)])
  const created = fieldsReadBy((data) => readSource(createdAt, data))
  return new Set([
    ...STANDARD,
    ...fieldsReadBy((data) => readColumns(columns, data)),
    ...lists,
    ...inner,
    ...created,
  ])
}

function missing(table: string, shape: string, known: ReadonlySet<string>): string[] {
  const reasons = WITHOUT_COLUMN[table] ?? {}
  return shape.split(' ').filter((field) => !known.has(field) && reasons[field] === undefined)
}

function missingOf(resource: Resource, { fields, members = {} }: Shape): string[] {
  const sets = (resource.children ?? []).flatMap(({ table, field, columns }) => {
    const known = new Set([...STANDARD, ...fieldsReadBy((data) => readColumns(columns as Columns, data))])
    return missing(table, members[field] ?? 'id', known).map((name) => `${table}.${name}`)
  })
  return [...missing(resource.table, fields, fieldsOf(resource)), ...sets]
}

/** The resource that a path shows. */
function shownAt(path: string): Resource | undefined {
  const paths = [path, path.replace(/\/\{\}$/, '')]
  return [...RESOURCES.values()].find(({ api }) =>
    [...(api?.lists ?? []), { path: api?.get ?? '' }, { path: api?.find?.path ?? '' }].some((list) =>
      paths.includes(anonymous(list.path)),
    ),
  )
}

function anonymous(path: string): string {
  return path.replace(/\{\w+\}/g, '{}')
}

describe('Clerk’s specification of webhooks', () => {
  const types = Object.keys(SPEC.events)

  it('names no type that is not applied', () => {
    expect(types.filter((type) => findEvent(type) === undefined)).toEqual([])
  })

  it('names every type that people are asked to tick, and no retired one', () => {
    expect([...RESOURCES.values()].flatMap(currentTypes).sort()).toEqual(types.sort())
    expect(EVENT_TYPES.filter((type) => !types.includes(type))).toEqual(['subscriptionItem.created'])
  })

  it.each(Object.entries(SPEC.events))(
    'shows nothing in %s that has neither column nor reason',
    (type, shape) => {
      const { resource, effect } = findEvent(type) as { resource: Resource; effect: string }
      const isBare = effect === 'delete' && shape.fields.includes('deleted')
      expect(isBare ? [] : missingOf(resource, shape)).toEqual([])
    },
  )
})

describe('Clerk’s specification of the Backend API', () => {
  const reads = Object.entries(SPEC.reads).map(([path, shape]) => [anonymous(path), shape] as const)

  it.each(reads)('shows nothing at %s that has neither table nor reason', (path, shape) => {
    if (WITHOUT_TABLE[path] !== undefined) return
    const resource = shownAt(path)
    expect(resource, path).toBeDefined()
    expect(missingOf(resource as Resource, shape)).toEqual([])
  })

  it('has everything that is asked for', () => {
    const paths = new Set(reads.map(([path]) => path))
    const asked = [...RESOURCES.values()].flatMap(({ api }) => [
      ...(api?.lists ?? []).map(({ path }) => path),
      ...[api?.get, api?.find?.path].filter((path) => path !== undefined),
    ])
    // It is documented without a reply.
    const undocumented = ['/organizations/{}/memberships', '/sessions/{}']
    const unknown = asked.map(anonymous).filter((path) => !paths.has(path) && !undocumented.includes(path))
    expect(unknown.filter((path) => path !== '/organization_roles/{}')).toEqual([])
  })
})

describe('the reasons', () => {
  it('are of fields that the specification has', () => {
    const shapes = [...Object.values(SPEC.events), ...Object.values(SPEC.reads)]
    const all = new Set(
      shapes.flatMap(({ fields, members = {} }) => [fields, ...Object.values(members)].join(' ').split(' ')),
    )
    const reasons = Object.values(WITHOUT_COLUMN).flatMap((fields) => Object.keys(fields))
    expect(reasons.filter((field) => !all.has(field))).toEqual([])
  })

  it('are of paths that the specification has and no table reads', () => {
    const paths = Object.keys(SPEC.reads).map(anonymous)
    expect(Object.keys(WITHOUT_TABLE).filter((path) => !paths.includes(path))).toEqual([])
  })
})
