/**
 * Resources as the Backend API shows them, which is as they are now. Events show what they hold of other resources as it
 * was when they were sent, and some fields only one of the two has.
 */

import type {
  InvitationPayload,
  Milliseconds,
  OrganizationDomainPayload,
  OrganizationInvitationPayload,
  OrganizationMembershipPayload,
  OrganizationPayload,
  Payload,
  RolePayload,
  SessionPayload,
  WaitlistEntryPayload,
} from '../../clerk/payloads.ts'
import {
  countsOf,
  partialOrganization,
  publicInviter,
  publicOrganization,
  publicUser,
} from '../simulated-clerk/excerpts.ts'
import { organizationIdOf, userIdOf } from '../simulated-clerk/instance.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'

/** Counts come only if asked for. */
export function showOrganization(
  clerk: SimulatedClerk,
  organization: OrganizationPayload,
  asked: { readonly members: boolean; readonly missingAdmin: boolean },
): Payload {
  const { members_count, pending_invitations_count, missing_member_with_elevated_permissions, ...shown } =
    organization
  return {
    ...shown,
    ...(asked.members && countsOf(clerk, organization)),
    ...(asked.missingAdmin && { missing_member_with_elevated_permissions: lacksAdmin(clerk, organization) }),
  }
}

function lacksAdmin(clerk: SimulatedClerk, { id }: OrganizationPayload): boolean {
  return !clerk.ownedBy('organization_memberships', id).some(({ role }) => role === 'org:admin')
}

export function showMembership(
  clerk: SimulatedClerk,
  membership: OrganizationMembershipPayload,
): OrganizationMembershipPayload {
  const organization = clerk.resources('organizations').get(organizationIdOf(membership))
  const user = clerk.resources('users').get(userIdOf(membership))
  return {
    ...membership,
    ...(organization && { organization: partialOrganization(clerk, organization) }),
    ...(user && { public_user_data: publicUser(user) }),
  }
}

/** `user_id` comes with the event of its acceptance only. */
export function showOrganizationInvitation(
  clerk: SimulatedClerk,
  invitation: OrganizationInvitationPayload,
): OrganizationInvitationPayload {
  const { user_id, ...shown } = invitation
  const inviter = clerk.resources('users').get(String(invitation.inviter_id))
  const organization = clerk.resources('organizations').get(String(invitation.organization_id))
  return {
    ...(shown as OrganizationInvitationPayload),
    status: statusAt(clerk.now, invitation),
    ...(inviter && { public_inviter_data: publicInviter(inviter) }),
    ...(organization && { public_organization_data: publicOrganization(organization) }),
  }
}

/** Invitations expire without an event. */
export function statusAt(
  now: Milliseconds,
  { status = '', expires_at }: InvitationPayload | OrganizationInvitationPayload,
): string {
  return status === 'pending' && (expires_at ?? now) < now ? 'expired' : status
}

export function showDomain(clerk: SimulatedClerk, domain: OrganizationDomainPayload): Payload {
  const organization = clerk.resources('organizations').get(String(domain.organization_id))
  return { ...domain, ...(organization && { public_organization_data: publicOrganization(organization) }) }
}

/** With its permissions as they are now. */
export function showRole(clerk: SimulatedClerk, role: RolePayload): RolePayload {
  const live = clerk.resources('permissions')
  return { ...role, permissions: (role.permissions ?? []).flatMap(({ id }) => live.get(id) ?? []) }
}

/** Without the user, but with what is left to be done before it is active. */
export function showSession(clerk: SimulatedClerk, session: SessionPayload): Payload {
  const { user, ...shown } = session
  const tasks = session.status === 'pending' ? [{ key: 'choose-organization' }] : null
  return { ...shown, status: sessionStatusAt(clerk.now, session), tasks }
}

/** Sessions end by themselves, without an event. */
export function sessionStatusAt(
  now: Milliseconds,
  { status = '', expire_at = now, abandon_at = now }: SessionPayload,
): string {
  if (status !== 'active' && status !== 'pending') return status
  if (abandon_at < now) return 'abandoned'
  return expire_at < now ? 'expired' : status
}

export function showInvitation(clerk: SimulatedClerk, invitation: InvitationPayload): InvitationPayload {
  return { ...invitation, status: statusAt(clerk.now, invitation) }
}

export function showWaitlistEntry(clerk: SimulatedClerk, entry: WaitlistEntryPayload): Payload {
  const invitation = clerk.resources('invitations').get(String(entry.invitation?.id))
  return { ...entry, invitation: invitation ? showInvitation(clerk, invitation) : null }
}
