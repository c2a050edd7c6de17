/** The short forms of users and organizations that other resources hold. They lack what only the owner may see. */

import type {
  OrganizationPayload,
  PublicOrganizationPayload,
  PublicUserPayload,
  UserPayload,
} from '../../clerk/payloads.ts'
import type { Instance } from './instance.ts'

export function publicUser(user: UserPayload): PublicUserPayload {
  const { profile_image_url = null, username = null, banned = false, deprovisioned = false } = user
  return { ...publicInviter(user), profile_image_url, username, banned, deprovisioned }
}

export function publicInviter(user: UserPayload): PublicUserPayload {
  const { id, first_name = null, last_name = null, image_url = '', has_image = false } = user
  return { user_id: id, identifier: identifierOf(user), first_name, last_name, image_url, has_image }
}

function identifierOf({ email_addresses, phone_numbers, web3_wallets }: UserPayload): string {
  const identifier =
    email_addresses?.[0]?.email_address ?? phone_numbers?.[0]?.phone_number ?? web3_wallets?.[0]?.web3_wallet
  return identifier ?? ''
}

export function publicOrganization(organization: OrganizationPayload): PublicOrganizationPayload {
  const { id, name, slug, image_url, has_image } = organization
  return { id, name, slug, ...(image_url !== undefined && { image_url }), has_image }
}

/** The organization as memberships show it: partial, but with counts. */
export function partialOrganization(
  owners: Pick<Instance, 'ownedBy'>,
  organization: OrganizationPayload,
): OrganizationPayload {
  const { created_by, private_metadata, last_active_at, ...partial } = organization
  return { ...partial, ...countsOf(owners, organization) }
}

export function countsOf(owners: Pick<Instance, 'ownedBy'>, { id }: OrganizationPayload) {
  const invitations = owners.ownedBy('organization_invitations', id)
  return {
    members_count: owners.ownedBy('organization_memberships', id).length,
    pending_invitations_count: invitations.filter(({ status }) => status === 'pending').length,
  }
}
