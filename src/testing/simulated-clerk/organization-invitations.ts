/** Invitations into organizations. The URL holds a ticket, which is a secret. */

import type { OrganizationInvitationPayload, OrganizationPayload, UserPayload } from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import { address, metadata } from './content.ts'
import { publicInviter, publicOrganization } from './excerpts.ts'
import { type Instance, userIdOf } from './instance.ts'
import { stranger } from './membership-actions.ts'
import { join, roleFields } from './memberships.ts'
import { createOrganization } from './organizations.ts'

const THIRTY_DAYS = 2_592_000_000

function isPending({ status, expires_at }: OrganizationInvitationPayload, { now }: Instance): boolean {
  return status === 'pending' && (expires_at ?? 0) > now
}

/** An organization may have lost all its members; then nobody is named. */
function inviterOf({ random, tables }: Instance, organizationId: string): UserPayload | undefined {
  const members = tables.organization_memberships.ownedBy(organizationId)
  return members.length === 0 ? undefined : tables.users.live.get(userIdOf(random.pick(members)))
}

export const inviteToOrganization = actionOn('organizations', {
  weight: 6,
  otherwise: createOrganization,
  run: (instance, organization) => {
    const { random } = instance
    const inviter = inviterOf(instance, organization.id)
    const { role, role_name } = roleFields(instance)
    const identity = { object: 'organization_invitation', id: instance.newId('orginv') }
    const invitation = instance.add('organization_invitations', identity, {
      email_address: address(random),
      role,
      role_name,
      organization_id: organization.id,
      inviter_id: inviter?.id ?? null,
      public_inviter_data: inviter ? publicInviter(inviter) : {},
      public_organization_data: publicOrganization(organization),
      status: 'pending',
      public_metadata: metadata(random),
      private_metadata: metadata(random),
      url: `https://example.accounts.dev/v1/tickets/accept?ticket=${random.digits(32)}`,
      expires_at: instance.now + THIRTY_DAYS,
    })
    instance.send('organizationInvitation.created', invitation)
  },
})

export const acceptOrganizationInvitation = actionOn('organization_invitations', {
  weight: 3,
  suits: isPending,
  otherwise: inviteToOrganization,
  run: (instance, invitation) => {
    const organizationId = String(invitation.organization_id)
    const organization = instance.tables.organizations.live.get(organizationId) as OrganizationPayload
    const user = stranger(instance, organizationId)
    const changes = { status: 'accepted', url: null, user_id: user.id }
    const accepted = instance.update('organization_invitations', invitation, changes)
    instance.send('organizationInvitation.accepted', { ...accepted, user_id: user.id })
    join(instance, organization, user, invitation.role)
  },
})

export const revokeOrganizationInvitation = actionOn('organization_invitations', {
  weight: 2,
  suits: isPending,
  otherwise: inviteToOrganization,
  run: (instance, invitation) => {
    const changes = { status: 'revoked', url: null }
    const revoked = instance.update('organization_invitations', invitation, changes)
    instance.send('organizationInvitation.revoked', revoked)
  },
})
