/** Which path answers what. */

import { type Answer, notFound, ok, Refusal } from './answers.ts'
import {
  getStatement,
  getSubscriptionOfOrganization,
  getSubscriptionOfUser,
  listPaymentAttempts,
  listPlans,
  listPrices,
  listStatements,
  listSubscriptionItems,
  movedToBilling,
} from './billing.ts'
import type { ClerkFeature } from './features.ts'
import { type Call, type Endpoint, list } from './lists.ts'
import {
  getInvitationOfOrganization,
  getOrganization,
  listDomains,
  listDomainsOfOrganization,
  listInvitationsOfOrganization,
  listMemberships,
  listMembershipsOfOrganization,
  listMembershipsOfUser,
  listOrganizationInvitations,
  listOrganizations,
} from './organizations.ts'
import { getSession, listInvitations, listSessions, listWaitlistEntries } from './people.ts'
import { getPermission, getRole, listPermissions, listRoles } from './roles.ts'
import {
  getCreditsOfOrganization,
  getCreditsOfUser,
  getOf,
  getRoleSet,
  listApiKeys,
  listM2mTokens,
  listMappings,
  listOf,
  listTrustedDevices,
} from './settings.ts'
import { countUsers, getIdentification, getUser, listUsers } from './users.ts'

export interface Route {
  /** Below `/v1`; `*` stands for an id. */
  readonly path: string
  readonly feature?: ClerkFeature
  readonly endpoint: Endpoint
}

const USERS: readonly Route[] = [
  { path: '/instance', endpoint: getInstance },
  { path: '/users', endpoint: listUsers },
  { path: '/users/count', endpoint: countUsers },
  { path: '/users/*', endpoint: getUser },
  { path: '/email_addresses/*', endpoint: getIdentification('email_addresses', 'email address') },
  { path: '/phone_numbers/*', endpoint: getIdentification('phone_numbers', 'phone number') },
  { path: '/sessions', endpoint: listSessions },
  { path: '/sessions/*', endpoint: getSession },
  { path: '/invitations', endpoint: listInvitations },
  { path: '/waitlist_entries', endpoint: listWaitlistEntries, feature: 'waitlist' },
]

const ORGANIZATIONS: readonly Route[] = [
  { path: '/organizations', endpoint: listOrganizations },
  { path: '/organizations/*', endpoint: getOrganization },
  { path: '/organization_memberships', endpoint: listMemberships },
  { path: '/organizations/*/memberships', endpoint: listMembershipsOfOrganization },
  { path: '/users/*/organization_memberships', endpoint: listMembershipsOfUser },
  { path: '/organization_invitations', endpoint: listOrganizationInvitations },
  { path: '/organizations/*/invitations', endpoint: listInvitationsOfOrganization },
  { path: '/organizations/*/invitations/*', endpoint: getInvitationOfOrganization },
  { path: '/organization_domains', endpoint: listDomains },
  { path: '/organizations/*/domains', endpoint: listDomainsOfOrganization },
  { path: '/organization_roles', endpoint: listRoles },
  { path: '/organization_roles/*', endpoint: getRole },
  { path: '/organization_permissions', endpoint: listPermissions },
  { path: '/organization_permissions/*', endpoint: getPermission },
  { path: '/role_sets', endpoint: listOf('role_sets') },
  { path: '/role_sets/*', endpoint: getRoleSet },
]

const BILLING: readonly Route[] = [
  { path: '/billing/subscription_items', endpoint: listSubscriptionItems },
  { path: '/billing/plans', endpoint: listPlans },
  { path: '/billing/prices', endpoint: listPrices },
  { path: '/billing/statements', endpoint: listStatements },
  { path: '/billing/statements/*', endpoint: getStatement },
  { path: '/billing/statements/*/payment_attempts', endpoint: listPaymentAttempts },
  { path: '/users/*/billing/subscription', endpoint: getSubscriptionOfUser },
  { path: '/organizations/*/billing/subscription', endpoint: getSubscriptionOfOrganization },
  { path: '/users/*/billing/credits', endpoint: getCreditsOfUser },
  { path: '/organizations/*/billing/credits', endpoint: getCreditsOfOrganization },
]

/** What a team sets up. */
const SETTINGS: readonly Route[] = [
  {
    path: '/enterprise_connections',
    endpoint: listOf('enterprise_connections'),
    feature: 'enterprise_connections',
  },
  {
    path: '/enterprise_connections/*',
    endpoint: getOf('enterprise_connections', 'enterprise connection'),
    feature: 'enterprise_connections',
  },
  { path: '/directories', endpoint: listOf('directories') },
  { path: '/directories/*', endpoint: getOf('directories', 'directory') },
  { path: '/directories/*/group_role_mappings', endpoint: listMappings },
  { path: '/oauth_applications', endpoint: listOf('oauth_applications') },
  { path: '/oauth_applications/*', endpoint: getOf('oauth_applications', 'OAuth application') },
  { path: '/machines', endpoint: listOf('machines') },
  { path: '/machines/*', endpoint: getOf('machines', 'machine') },
  {
    path: '/allowlist_identifiers',
    endpoint: listOf('allowlist_identifiers', 'either'),
    feature: 'restrictions',
  },
  { path: '/blocklist_identifiers', endpoint: listOf('blocklist_identifiers'), feature: 'restrictions' },
  { path: '/api_keys', endpoint: listApiKeys },
  { path: '/api_keys/*', endpoint: getOf('api_keys', 'API key') },
  { path: '/m2m_tokens', endpoint: listM2mTokens },
  { path: '/users/*/trusted_devices', endpoint: listTrustedDevices },
]

/** The instance itself, what the simulated Clerk has none of, and what Clerk has given up. */
const OTHERS: readonly Route[] = [
  { path: '/instance', endpoint: getInstance },
  { path: '/domains', endpoint: nothing('counted'), feature: 'domains' },
  { path: '/redirect_urls', endpoint: nothing('array') },
  { path: '/jwt_templates', endpoint: nothing('array') },
  { path: '/clients', endpoint: gone },
  { path: '/commerce/plans', endpoint: movedToBilling },
  { path: '/commerce/subscription_items', endpoint: movedToBilling },
]

export const ROUTES: readonly Route[] = [
  ...USERS,
  ...ORGANIZATIONS.map((route) => ({ ...route, feature: 'organizations' as const })),
  ...BILLING.map((route) => ({ ...route, feature: 'billing' as const })),
  ...SETTINGS,
  ...OTHERS,
]

/** Which instance the secret key belongs to. */
function getInstance({ clerk, environment }: Call): Answer {
  return ok({
    object: 'instance',
    id: clerk.instanceId,
    environment_type: environment,
    allowed_origins: null,
    workspace_id: null,
  })
}

function nothing(shape: 'array' | 'counted'): Endpoint {
  return (call) => list(call, { rows: [], shape })
}

function gone(): Answer {
  throw new Refusal(410, 'resource_gone', 'Gone', 'This endpoint is deprecated and no longer available.')
}

/**
 * The route of a path, and what stands in its placeholders.
 * @param path below `/v1`
 */
export function findRoute(routes: readonly Route[], path: string): { route: Route; ids: readonly string[] } {
  const segments = path.split('/')
  for (const route of routes) {
    const ids = match(route.path.split('/'), segments)
    if (ids) return { route, ids }
  }
  throw notFound('The resource you are looking for does not exist.')
}

/** `/users/count` stands before `/users/*`, so the first that matches is the one. */
function match(pattern: readonly string[], segments: readonly string[]): string[] | undefined {
  if (pattern.length !== segments.length) return undefined
  const ids: string[] = []
  for (const [index, segment] of segments.entries()) {
    if (pattern[index] === '*' && segment !== '') ids.push(segment)
    else if (pattern[index] !== segment) return undefined
  }
  return ids
}
