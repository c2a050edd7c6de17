/**
 * The catalogue: every resource of Clerk's that is mirrored, parents before what belongs to them.
 *
 * The order is also the order in which a transaction locks rows, so that two servers never deadlock.
 */

import type { ClerkEvent } from './event.ts'
import type { EventType } from './payloads.ts'
import type { Effect, Resource } from './resource.ts'
import { allowlistIdentifiers } from './resources/allowlist-identifiers.ts'
import { apiKeys } from './resources/api-keys.ts'
import { blocklistIdentifiers } from './resources/blocklist-identifiers.ts'
import { creditBalances } from './resources/credit-balances.ts'
import { directories } from './resources/directories.ts'
import { directoryGroupRoleMappings } from './resources/directory-group-role-mappings.ts'
import { emails } from './resources/emails.ts'
import { enterpriseConnections } from './resources/enterprise-connections.ts'
import { invitations } from './resources/invitations.ts'
import { m2mTokens } from './resources/m2m-tokens.ts'
import { machines } from './resources/machines.ts'
import { oauthApplications } from './resources/oauth-applications.ts'
import { organizationDomains } from './resources/organization-domains.ts'
import { organizationInvitations } from './resources/organization-invitations.ts'
import { organizationMemberships } from './resources/organization-memberships.ts'
import { organizations } from './resources/organizations.ts'
import { paymentAttempts } from './resources/payment-attempts.ts'
import { permissions } from './resources/permissions.ts'
import { planFeatures, plans } from './resources/plans.ts'
import { prices } from './resources/prices.ts'
import { roleSets } from './resources/role-sets.ts'
import { roles } from './resources/roles.ts'
import { sessions } from './resources/sessions.ts'
import { smsMessages } from './resources/sms-messages.ts'
import { statements } from './resources/statements.ts'
import { subscriptionItems } from './resources/subscription-items.ts'
import { subscriptions } from './resources/subscriptions.ts'
import { trustedDevices } from './resources/trusted-devices.ts'
import {
  emailAddresses,
  enterpriseAccounts,
  externalAccounts,
  passkeys,
  phoneNumbers,
  samlAccounts,
  users,
  web3Wallets,
} from './resources/users.ts'
import { waitlistEntries } from './resources/waitlist-entries.ts'
import { anySecrets, type Redaction } from './secrets.ts'

/** By table name. */
export const CATALOGUE = {
  users,
  organizations,
  organization_memberships: organizationMemberships,
  organization_invitations: organizationInvitations,
  organization_domains: organizationDomains,
  roles,
  permissions,
  sessions,
  invitations,
  waitlist_entries: waitlistEntries,
  emails,
  sms_messages: smsMessages,
  subscriptions,
  subscription_items: subscriptionItems,
  // Statements hold the payments.
  statements,
  payment_attempts: paymentAttempts,
  plans,
  prices,
  credit_balances: creditBalances,
  role_sets: roleSets,
  enterprise_connections: enterpriseConnections,
  directories,
  directory_group_role_mappings: directoryGroupRoleMappings,
  oauth_applications: oauthApplications,
  machines,
  m2m_tokens: m2mTokens,
  api_keys: apiKeys,
  trusted_devices: trustedDevices,
  allowlist_identifiers: allowlistIdentifiers,
  blocklist_identifiers: blocklistIdentifiers,
} as const

/** By table name. */
export const CHILD_SETS = {
  email_addresses: emailAddresses,
  phone_numbers: phoneNumbers,
  web3_wallets: web3Wallets,
  passkeys,
  external_accounts: externalAccounts,
  saml_accounts: samlAccounts,
  enterprise_accounts: enterpriseAccounts,
  plan_features: planFeatures,
} as const

/** A resource's name, which is also its table's: `users`, `organization_memberships`, … */
export type ResourceName = keyof typeof CATALOGUE

export const RESOURCES: ReadonlyMap<string, Resource> = new Map(Object.entries(CATALOGUE))

const EVENTS = new Map(
  [...RESOURCES.values()].flatMap((resource) =>
    Object.entries(resource.events).map(([type, effect]) => [type, { resource, effect }] as const),
  ),
)

/** Every event type that is applied. */
export const EVENT_TYPES = [...EVENTS.keys()] as readonly EventType[]

/** The event types of a resource that Clerk still sends, and that an endpoint should subscribe to. */
export function currentTypes({ events, retired = [] }: Resource): EventType[] {
  const types = Object.keys(events) as EventType[]
  return types.filter((type) => !retired.includes(type))
}

/** What an event of this type does, or `undefined` for a type this version does not know. */
export function findEvent(type: string): { resource: Resource; effect: Effect } | undefined {
  return EVENTS.get(type)
}

/** The secrets in an event's payload. */
export function secretsIn({ type, data }: ClerkEvent): Redaction[] {
  const found = findEvent(type)
  return found ? (found.resource.secrets?.(data) ?? []) : anySecrets(data)
}
