/** The simulated Clerk's payloads have the fields of the sample events, and the documented optional ones. */

import { expect, it } from 'vitest'
import { type ClerkEvent, EVENT_TYPES, type EventType } from '../../src/index.ts'
import { createSimulatedClerk, sampleEvent } from '../../src/testing/index.ts'

const clerk = createSimulatedClerk({ seed: 23 })
const BY_TYPE = Map.groupBy(Array.from({ length: 3_000 }, () => clerk.act()).flat(), (event) => event.type)

/** Fields that Clerk documents as optional and that the samples lack. */
const OPTIONAL = [
  ...[
    'scim',
    'bypass_client_trust',
    'external_accounts[].avatar_url',
    'external_accounts[].external_account_id',
  ],
  'phone_numbers[].verification.channel',
  ...[
    'members_count',
    'pending_invitations_count',
    'missing_member_with_elevated_permissions',
    'last_active_at',
  ],
  ...['organization.missing_member_with_elevated_permissions', 'organization.role_set_key'],
  ...['external_id', 'private_metadata', 'invitation.revoked'],
  ...['suppression_reason', 'items[].seats.quantity', 'failed_reason.code', 'failed_reason.decline_code'],
]

/** The fields of lists and objects that are empty in the samples, as Clerk documents them. */
const VERIFICATION = [
  'verification.object',
  'verification.status',
  'verification.strategy',
  'verification.attempts',
  'verification.expire_at',
]
const CONNECTION = [
  ...[
    'id',
    'object',
    'protocol',
    'provider',
    'name',
    'logo_public_url',
    'domain',
    'domains',
    'active',
    'created_at',
    'updated_at',
  ],
  ...[
    'sync_user_attributes',
    'allow_subdomains',
    'allow_idp_initiated',
    'disable_additional_identifications',
  ],
]
const ACCOUNT = [
  ...['id', 'object', 'provider', 'active', 'email_address', 'first_name', 'last_name', 'provider_user_id'],
  ...['last_authenticated_at', 'public_metadata', ...VERIFICATION],
]
const WITHIN: Readonly<Record<string, readonly string[]>> = {
  'web3_wallets[]': ['id', 'object', 'web3_wallet', 'created_at', 'updated_at', ...VERIFICATION],
  'passkeys[]': ['id', 'object', 'name', 'last_used_at', ...VERIFICATION],
  'saml_accounts[]': [...ACCOUNT, ...CONNECTION.map((field) => `saml_connection.${field}`)],
  'enterprise_accounts[]': [
    ...[...ACCOUNT, 'protocol', 'enterprise_connection_id'],
    ...CONNECTION.map((field) => `enterprise_connection.${field}`),
  ],
  scim: ['directory_id', 'directory_enabled', 'external_id'],
  actor: ['sub', 'iss'],
  'email_addresses[].linked_to[]': ['type', 'id'],
}

const DOCUMENTED = new Set(
  [
    ...OPTIONAL,
    ...Object.entries(WITHIN).flatMap(([path, fields]) => fields.map((field) => `${path}.${field}`)),
  ].flatMap(prefixes),
)

it.each(EVENT_TYPES)('%s has the fields of its sample', (type) => {
  const sample = pathsIn(sampleEvent(type))
  const simulated = BY_TYPE.get(type)?.map(pathsIn) ?? []
  const seen = new Set(simulated.flatMap((paths) => [...paths]))
  expect(unknownPaths(seen, sample), 'fields that Clerk does not document').toEqual([])
  expect(
    [...sample].filter((path) => !seen.has(path) && !DOCUMENTED.has(bare(path))),
    'fields that never came',
  ).toEqual([])
  for (const paths of simulated) {
    const missing = [...sample].filter(
      (path) => !/[.[]/.test(path) && !paths.has(path) && !DOCUMENTED.has(path),
    )
    expect(missing, 'fields that an event lacks').toEqual([])
  }
})

it('wraps them in the same envelope', () => {
  for (const type of EVENT_TYPES) {
    for (const event of BY_TYPE.get(type) ?? []) {
      expect(Object.keys(event).sort()).toEqual(Object.keys(sampleEvent(type)).sort())
      expect(event).toMatchObject({ object: 'event', type, instance_id: clerk.instanceId })
    }
  }
})

it.each(EVENT_TYPES)('%s names its object as its sample does', (type) => {
  const { object } = sampleEvent(type as EventType).data as { object?: string }
  for (const { data } of BY_TYPE.get(type) ?? []) expect((data as { object?: string }).object).toBe(object)
})

/** `a.b.c` is there, so `a.b` and `a` are. */
function prefixes(path: string): string[] {
  const names = path.split('.')
  return names.map((_, index) => names.slice(0, index + 1).join('.'))
}

function unknownPaths(seen: ReadonlySet<string>, sample: ReadonlySet<string>): string[] {
  return [...seen].filter((path) => !sample.has(path) && !DOCUMENTED.has(bare(path)))
}

/** The user inside a session, and the like, have the fields that they have elsewhere. */
function bare(path: string): string {
  return path.replace(/^user\./, '')
}

/** The paths of all fields; free JSON is left out. */
function pathsIn({ data }: ClerkEvent): Set<string> {
  const paths = new Set<string>()
  collect(data, '', paths)
  return paths
}

const FREE = /(metadata|^data)$/

function collect(value: unknown, path: string, paths: Set<string>): void {
  if (typeof value !== 'object' || value === null || FREE.test(path)) return
  if (Array.isArray(value)) {
    for (const member of value) collect(member, `${path}[]`, paths)
    return
  }
  for (const [key, member] of Object.entries(value)) {
    const inner = path === '' ? key : `${path}.${key}`
    paths.add(inner)
    collect(member, inner, paths)
  }
}
