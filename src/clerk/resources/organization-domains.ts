import { OLDEST_FIRST } from '../api-description.ts'
import type { VerificationPayload } from '../payloads.ts'
import { defineResource, id, identifying, integer, json, key, text, time } from '../resource.ts'

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
    name: key(),
    enrollment_mode: text(),
    affiliation_email_address: identifying(text()),
    total_pending_invitations: integer(),
    total_pending_suggestions: integer(),
    // `verification` is the old name of `affiliation_verification`, which Clerk will remove.
    verification_status: text(['affiliation_verification.status', 'verification.status']),
    ownership_status: text('ownership_verification.status'),
    verified_at: time([
      'ownership_verification.verified_at',
      'affiliation_verification.verified_at',
      'verification.verified_at',
    ]),
    verification: json<VerificationPayload>(),
    affiliation_verification: json<VerificationPayload>(),
    ownership_verification: json<VerificationPayload>(),
    public_organization_data: json(),
  },
  person: { addresses: { affiliation_email_address: ['affiliation_email_address'] } },
  indexes: ['name'],
  parents: { organization_id: 'organizations' },
  api: {
    lists: [{ path: '/organization_domains', paging: 'offset', query: OLDEST_FIRST }],
    find: { path: '/organization_domains', query: { organization_id: '{organization_id}' } },
  },
})
