import { OLDEST_FIRST } from '../api-description.ts'
import type { VerificationPayload } from '../payloads.ts'
import { defineResource, id, integer, json, text } from '../resource.ts'

export const organizationDomains = defineResource({
  table: 'organization_domains',
  description: 'The e-mail domains of organizations.',
  events: {
    'organizationDomain.created': 'upsert',
    'organizationDomain.updated': 'upsert',
    'organizationDomain.deleted': 'delete',
  },
  columns: {
    organization_id: id(),
    name: text(),
    enrollment_mode: text(),
    affiliation_email_address: text(),
    total_pending_invitations: integer(),
    total_pending_suggestions: integer(),
    verification_status: text('verification.status'),
    verification: json<VerificationPayload>(),
    affiliation_verification: json<VerificationPayload>(),
    ownership_verification: json<VerificationPayload>(),
    public_organization_data: json(),
  },
  indexes: ['name'],
  parents: { organization_id: 'organizations' },
  api: {
    lists: [{ path: '/organization_domains', paging: 'offset', query: OLDEST_FIRST }],
    find: { path: '/organization_domains', query: { organization_id: '{organization_id}' } },
  },
})
