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
  { path: '/role_sets', endpoint: nothing('counted') },
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
]

/** The instance itself, what the simulated Clerk has none of, and what Clerk has given up. */
const OTHERS: readonly Route[] = [
  { path: '/instance', endpoint: getInstance },
  { path: '/domains', endpoint: nothing('counted'), feature: 'domains' },
  { path: '/enterprise_connections', endpoint: nothing('counted'), feature: 'enterprise_connections' },
  { path: '/allowlist_identifiers', endpoint: nothing('array'), feature: 'restrictions' },
  { path: '/blocklist_identifiers', endpoint: nothing('counted'), feature: 'restrictions' },
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
