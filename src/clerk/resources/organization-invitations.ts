import { OLDEST_FIRST } from '../api-description.ts'
import type { Metadata, PublicUserPayload } from '../payloads.ts'
import { defineResource, id, identifying, json, key, personal, text, time } from '../resource.ts'
import { secretField } from '../secrets.ts'

export const organizationInvitations = defineResource({
  table: 'organization_invitations',
  description: 'Invitations into organizations. The ticket URL is not kept.',
  events: {
    'organizationInvitation.created': 'upsert',
    'organizationInvitation.accepted': 'upsert',
    'organizationInvitation.revoked': 'upsert',
  },
  columns: {
    organization_id: id(),
    email_address: identifying(key()),
    status: text(),
    role: text(),
    role_name: text(),
    inviter_id: id(),
    user_id: id(),
    expires_at: time(),
    public_metadata: personal(json<Metadata>()),
    private_metadata: personal(json<Metadata>()),
    public_inviter_data: personal(json<PublicUserPayload>()),
    // Clerk's OpenAPI nests it under a second `data`, its TypeScript types do not.
    public_organization_data: json(['public_organization_data', 'data.public_organization_data']),
  },
  person: {
    users: { user_id: 'all', inviter_id: ['public_inviter_data'] },
    addresses: { email_address: 'all' },
  },
  indexes: ['email_address'],
  expiry: { open: ['pending'], ends: { expires_at: 'expired' } },
  secrets: secretField('url'),
  parents: { organization_id: 'organizations' },
  api: {
    lists: [{ path: '/organization_invitations', paging: 'offset', query: OLDEST_FIRST }],
    get: '/organizations/{organization_id}/invitations/{id}',
    // Only the event of its acceptance tells by whom.
    shape: 'less',
  },
})
