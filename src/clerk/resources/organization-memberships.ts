import { OLDEST_FIRST } from '../api-description.ts'
import type { Metadata, PublicUserPayload } from '../payloads.ts'
import { defineResource, id, json, personal, text } from '../resource.ts'

/**
 * Keyed by the membership's own id, not by organization and user: a late delete of a membership must not remove
 * the one that the same user got by joining again.
 */
export const organizationMemberships = defineResource({
  table: 'organization_memberships',
  description: 'Who belongs to which organization, and in which role.',
  events: {
    'organizationMembership.created': 'upsert',
    'organizationMembership.updated': 'upsert',
    'organizationMembership.deleted': 'delete',
  },
  columns: {
    organization_id: id('organization.id'),
    user_id: id('public_user_data.user_id'),
    role: text(),
    role_name: text(),
    permissions: json<string[]>(),
    public_metadata: personal(json<Metadata>()),
    private_metadata: personal(json<Metadata>()),
    public_user_data: personal(json<PublicUserPayload>()),
  },
  parents: { organization_id: 'organizations', user_id: 'users' },
  api: {
    lists: [{ path: '/organization_memberships', paging: 'offset', query: OLDEST_FIRST }],
    find: { path: '/organizations/{organization_id}/memberships', query: { user_id: '{user_id}' } },
  },
})
