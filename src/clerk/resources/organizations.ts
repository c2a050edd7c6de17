import { OLDEST_FIRST } from '../api-description.ts'
import type { Metadata } from '../payloads.ts'
import { boolean, defineResource, id, integer, json, key, text, time } from '../resource.ts'

/** Events have these counts, lists only on request. */
const COUNTS = { include_members_count: 'true', include_missing_member_with_elevated_permissions: 'true' }

export const organizations = defineResource({
  table: 'organizations',
  description: 'The organizations of the instance.',
  events: {
    'organization.created': 'upsert',
    'organization.updated': 'upsert',
    'organization.deleted': 'delete',
  },
  columns: {
    name: text(),
    slug: key(),
    image_url: text(),
    has_image: boolean(),
    members_count: integer(),
    pending_invitations_count: integer(),
    missing_member_with_elevated_permissions: boolean(),
    max_allowed_memberships: integer(),
    admin_delete_enabled: boolean(),
    public_metadata: json<Metadata>(),
    private_metadata: json<Metadata>(),
    created_by: id(),
    role_set_key: text(),
    last_active_at: time(),
  },
  indexes: ['slug'],
  api: {
    lists: [{ path: '/organizations', paging: 'offset', query: { ...OLDEST_FIRST, ...COUNTS } }],
    get: '/organizations/{id}',
    find: { path: '/organizations', query: { ...COUNTS, organization_id: '{id}' }, maxIds: 100 },
  },
})
