/** Organizations, and what belongs to them: members, invitations, domains. */

import type {
  OrganizationDomainPayload,
  OrganizationInvitationPayload,
  OrganizationMembershipPayload,
  OrganizationPayload,
} from '../../clerk/payloads.ts'
import { userIdOf } from '../simulated-clerk/instance.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, notFound, ok } from './answers.ts'
import { anyOf, contains, equals, type Filters, isTrue, oneOf, timeFilters } from './filters.ts'
import { type Call, type List, list } from './lists.ts'
import {
  showDomain,
  showMembership,
  showOrganization,
  showOrganizationInvitation,
  statusAt,
} from './shown.ts'
import { requireUser } from './users.ts'

export function listOrganizations(call: Call): Answer {
  const { clerk } = call
  return list<OrganizationPayload>(call, {
    rows: [...clerk.resources('organizations').values()],
    filters: {
      organization_id: anyOf(({ id }) => [id]),
      user_id: anyOf(({ id }) => clerk.ownedBy('organization_memberships', id).map(userIdOf)),
      query: (values, name) => {
        const isNamed = contains<OrganizationPayload>((each) => [each.name, each.slug])(values, name)
        return (each) => each.id === values[0] || isNamed(each)
      },
    },
    orders: {
      name: ({ name }) => name,
      members_count: ({ id }) => clerk.ownedBy('organization_memberships', id).length,
    },
    show: (organization) => showOrganization(clerk, organization, askedOf(call)),
  })
}

/** By id or slug. */
export function getOrganization(call: Call): Answer {
  const [idOrSlug = ''] = call.ids
  const { clerk } = call
  const organizations = clerk.resources('organizations')
  const found =
    organizations.get(idOrSlug) ?? [...organizations.values()].find(({ slug }) => slug === idOrSlug)
  if (found) return ok(showOrganization(clerk, found, askedOf(call)))
  throw organizationNotFound(idOrSlug)
}

function askedOf({ query }: Call) {
  return {
    members: query.get('include_members_count') === 'true',
    missingAdmin: query.get('include_missing_member_with_elevated_permissions') === 'true',
  }
}

export function requireOrganization(clerk: SimulatedClerk, id: string): OrganizationPayload {
  const organization = clerk.resources('organizations').get(id)
  if (organization) return organization
  throw organizationNotFound(id)
}

function organizationNotFound(id: string) {
  return notFound(`No organization was found with id ${id}.`)
}

/** All of the instance. It has no filters. */
export function listMemberships(call: Call): Answer {
  return list(call, membershipsOf(call, [...call.clerk.resources('organization_memberships').values()]))
}

export function listMembershipsOfOrganization(call: Call): Answer {
  const [id = ''] = call.ids
  requireOrganization(call.clerk, id)
  const rows = call.clerk.ownedBy('organization_memberships', id)
  return list(call, { ...membershipsOf(call, rows), filters: MEMBERSHIP_FILTERS })
}

export function listMembershipsOfUser(call: Call): Answer {
  const [id = ''] = call.ids
  requireUser(call.clerk, id)
  return list(call, membershipsOf(call, call.clerk.ownedBy('organization_memberships', id)))
}

function membershipsOf(
  { clerk }: Call,
  rows: readonly OrganizationMembershipPayload[],
): List<OrganizationMembershipPayload> {
  const userOf = (membership: OrganizationMembershipPayload) =>
    clerk.resources('users').get(userIdOf(membership))
  return {
    rows,
    orders: {
      first_name: (membership) => userOf(membership)?.first_name,
      last_name: (membership) => userOf(membership)?.last_name,
      username: (membership) => userOf(membership)?.username,
      email_address: (membership) => userOf(membership)?.email_addresses?.[0]?.email_address,
      phone_number: (membership) => userOf(membership)?.phone_numbers?.[0]?.phone_number,
    },
    show: (membership) => showMembership(clerk, membership),
  }
}

const MEMBERSHIP_FILTERS: Filters<OrganizationMembershipPayload> = {
  ...timeFilters('created_at'),
  user_id: anyOf((membership) => [userIdOf(membership)]),
  role: anyOf(({ role }) => [role]),
}

const INVITATION_STATUSES = ['pending', 'accepted', 'revoked', 'expired']

export function listOrganizationInvitations(call: Call): Answer {
  const rows = [...call.clerk.resources('organization_invitations').values()]
  return list(call, organizationInvitationsOf(call, rows))
}

/** Without the organization, which the path names already. */
export function listInvitationsOfOrganization(call: Call): Answer {
  const [id = ''] = call.ids
  requireOrganization(call.clerk, id)
  const definition = organizationInvitationsOf(call, call.clerk.ownedBy('organization_invitations', id))
  const show = (invitation: OrganizationInvitationPayload) => withoutOrganization(call.clerk, invitation)
  return list(call, { ...definition, show })
}

export function getInvitationOfOrganization({ clerk, ids: [organizationId = '', id = ''] }: Call): Answer {
  requireOrganization(clerk, organizationId)
  const invitation = clerk.resources('organization_invitations').get(id)
  if (invitation?.organization_id === organizationId) return ok(withoutOrganization(clerk, invitation))
  throw notFound(`No organization invitation was found with id ${id}.`)
}

function withoutOrganization(clerk: SimulatedClerk, invitation: OrganizationInvitationPayload) {
  const { public_organization_data, ...shown } = showOrganizationInvitation(clerk, invitation)
  return shown
}

function organizationInvitationsOf(
  { clerk }: Call,
  rows: readonly OrganizationInvitationPayload[],
): List<OrganizationInvitationPayload> {
  return {
    rows,
    filters: {
      status: oneOf(INVITATION_STATUSES, (invitation) => statusAt(clerk.now, invitation)),
      email_address: anyOf(({ email_address }) => [email_address]),
      query: contains(({ id, email_address }) => [id, email_address]),
    },
    orders: { email_address: ({ email_address }) => email_address },
    show: (invitation) => showOrganizationInvitation(clerk, invitation),
  }
}

export function listDomains(call: Call): Answer {
  return list(call, domainsOf(call, [...call.clerk.resources('organization_domains').values()]))
}

export function listDomainsOfOrganization(call: Call): Answer {
  const [id = ''] = call.ids
  requireOrganization(call.clerk, id)
  return list(call, domainsOf(call, call.clerk.ownedBy('organization_domains', id)))
}

function domainsOf(
  { clerk }: Call,
  rows: readonly OrganizationDomainPayload[],
): List<OrganizationDomainPayload> {
  return {
    rows,
    filters: {
      organization_id: equals(({ organization_id }) => organization_id),
      verified: isTrue(({ verification }) => verification?.status === 'verified'),
      enrollment_mode: anyOf(({ enrollment_mode }) => [enrollment_mode]),
      domains: anyOf(({ name }) => [name]),
      query: contains(({ id, name }) => [id, name]),
    },
    orders: { name: ({ name }) => name },
    show: (domain) => showDomain(clerk, domain),
  }
}
