/** The whole of a simulated Clerk as its Backend API shows it, to compare tables with that were filled from there. */

import type { ResourceName } from '../../clerk/catalogue.ts'
import type { ResourcePayloads } from '../simulated-clerk/instance.ts'
import { PLANS } from '../simulated-clerk/subscription-items.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { showPlan, showPrice, showStatement } from './billing-shapes.ts'
import { permissionsOf, rolesOf } from './roles.ts'
import {
  showDomain,
  showInvitation,
  showMembership,
  showOrganization,
  showOrganizationInvitation,
  showSession,
  showWaitlistEntry,
} from './shown.ts'

/**
 * A simulated Clerk as its Backend API shows it now: with what has expired, with its system roles, and with copies of
 * other resources as these are today. Messages and billing, which the API does not show or shows in another shape, are
 * as events have them.
 *
 * @example
 * await compareTables(sync.database, asBackendApi(clerk), { isCompared: (table, column) => column !== 'raw' })
 */
export function asBackendApi(clerk: SimulatedClerk): Pick<SimulatedClerk, 'resources' | 'deletedIds'> {
  return {
    resources: (table) => byId(shownOf(clerk, table)),
    deletedIds: (table) => clerk.deletedIds(table),
  }
}

function byId<Resource extends { id: string }>(shown: readonly Resource[]): ReadonlyMap<string, Resource> {
  return new Map(shown.map((resource) => [resource.id, resource]))
}

function shownOf<Name extends ResourceName>(clerk: SimulatedClerk, table: Name): ResourcePayloads[Name][] {
  const show = SHOWN[table] as ((clerk: SimulatedClerk) => ResourcePayloads[Name][]) | undefined
  return show ? show(clerk) : [...clerk.resources(table).values()]
}

/** What shows each resource that the API shows otherwise than events do. */
const SHOWN: { readonly [Name in ResourceName]?: (clerk: SimulatedClerk) => unknown[] } = {
  organizations: each('organizations', (clerk, organization) =>
    showOrganization(clerk, organization, COUNTS),
  ),
  organization_memberships: each('organization_memberships', showMembership),
  organization_invitations: each('organization_invitations', showOrganizationInvitation),
  organization_domains: each('organization_domains', showDomain),
  roles: rolesOf,
  permissions: permissionsOf,
  sessions: each('sessions', showSession),
  invitations: each('invitations', showInvitation),
  waitlist_entries: each('waitlist_entries', showWaitlistEntry),
  plans: () => PLANS.map(showPlan),
  prices: (clerk) => PLANS.map((plan) => showPrice({ clerk }, plan)),
  statements: (clerk) =>
    [...clerk.resources('payment_attempts').values()].map((attempt) =>
      showStatement({ clerk, apiVersion: API_VERSION }, attempt),
    ),
}

/** As `clerk-sync` requests it by default. */
const API_VERSION = '2026-05-12'

/** The query for complete organizations. */
const COUNTS = { members: true, missingAdmin: true }

function each<Name extends ResourceName>(
  table: Name,
  show: (clerk: SimulatedClerk, resource: ResourcePayloads[Name]) => unknown,
) {
  return (clerk: SimulatedClerk) =>
    [...clerk.resources(table).values()].map((resource) => show(clerk, resource))
}
