/** Organizations. */

import type { DeletedPayload, OrganizationPayload, UserPayload } from '../../clerk/payloads.ts'
import { actionOn } from './action.ts'
import { companyName, handle, imageUrl, metadata } from './content.ts'
import { countsOf } from './excerpts.ts'
import type { Instance } from './instance.ts'
import { join, sendMembershipsDeleted } from './memberships.ts'
import { createUser } from './users.ts'

function addOrganization(instance: Instance, creator: UserPayload): OrganizationPayload {
  const { random } = instance
  const identity = { object: 'organization', id: instance.newId('org') }
  return instance.add('organizations', identity, {
    name: companyName(random),
    slug: handle(random),
    image_url: imageUrl(random),
    has_image: random.chance(0.5),
    members_count: 1,
    missing_member_with_elevated_permissions: false,
    pending_invitations_count: 0,
    max_allowed_memberships: random.pick([5, 50, 0]),
    admin_delete_enabled: true,
    public_metadata: metadata(random),
    private_metadata: metadata(random),
    created_by: creator.id,
    last_active_at: instance.now,
    role_set_key: random.pick([null, 'role_set:default']),
  })
}

function changesOf(instance: Instance, organization: OrganizationPayload): Partial<OrganizationPayload> {
  const { random } = instance
  const counts = { ...countsOf(instance, organization), last_active_at: instance.now }
  const changes = [
    { name: companyName(random) },
    { slug: handle(random) },
    { public_metadata: metadata(random), private_metadata: metadata(random) },
    { max_allowed_memberships: random.integer(1, 500), admin_delete_enabled: random.chance(0.5) },
    { image_url: imageUrl(random), has_image: true },
  ]
  return { ...counts, ...random.pick(changes) }
}

function dissolve(instance: Instance, organization: OrganizationPayload): void {
  const { tables } = instance
  const memberships = tables.organization_memberships.deleteOwnedBy(organization.id)
  tables.organization_invitations.deleteOwnedBy(organization.id)
  tables.organization_domains.deleteOwnedBy(organization.id)
  tables.api_keys.deleteOwnedBy(organization.id)
  tables.organizations.delete(organization)
  const { id, slug } = organization
  const deleted: DeletedPayload = { object: 'organization', id, slug, deleted: true }
  sendMembershipsDeleted(instance, memberships, (at) => instance.send('organization.deleted', deleted, at))
}

export const createOrganization = actionOn('users', {
  weight: 5,
  otherwise: createUser,
  run: (instance, creator) => {
    const organization = addOrganization(instance, creator)
    instance.send('organization.created', organization)
    join(instance, organization, creator, 'org:admin')
  },
})

export const updateOrganization = actionOn('organizations', {
  weight: 6,
  otherwise: createOrganization,
  run: (instance, organization) => {
    const changes = changesOf(instance, organization)
    instance.send('organization.updated', instance.update('organizations', organization, changes))
  },
})

export const deleteOrganization = actionOn('organizations', {
  weight: 2,
  otherwise: createOrganization,
  run: dissolve,
})
