import { OLDEST_FIRST } from '../api-description.ts'
import type { Metadata } from '../payloads.ts'
import { boolean, defineResource, identifying, json, key, personal, text, time } from '../resource.ts'
import { secretField } from '../secrets.ts'

export const invitationSecrets = secretField('url')

/** Asked without a status, Clerk leaves out those that were revoked. */
const STATUSES = ['pending', 'accepted', 'revoked', 'expired'].map((status) => ({ status }))

/** Clerk sends no events for these; they come inside waitlist entries. */
export const invitations = defineResource({
  table: 'invitations',
  description: 'Invitations to the application. The ticket URL is not kept.',
  events: {},
  columns: {
    email_address: identifying(key()),
    status: text(),
    revoked: boolean(),
    expires_at: time(),
    public_metadata: personal(json<Metadata>()),
  },
  person: { addresses: { email_address: 'all' } },
  indexes: ['email_address'],
  expiry: { open: ['pending'], ends: { expires_at: 'expired' } },
  secrets: invitationSecrets,
  api: {
    lists: [{ path: '/invitations', paging: 'offset', query: OLDEST_FIRST, parts: STATUSES }],
    find: { path: '/invitations', query: { query: '{id}' }, parts: STATUSES },
  },
})
