import { OLDEST_FIRST } from '../api-description.ts'
import { boolean, defineResource, id, identifying, key, listOf, text } from '../resource.ts'
import { secretsWithin } from '../secrets.ts'
import { invitationSecrets } from './invitations.ts'

export const waitlistEntries = defineResource({
  table: 'waitlist_entries',
  description: 'People who asked to be let in.',
  events: { 'waitlistEntry.created': 'upsert', 'waitlistEntry.updated': 'upsert' },
  columns: {
    email_address: identifying(key()),
    status: text(),
    is_locked: boolean(),
    invitation_id: id('invitation.id'),
  },
  person: { addresses: { email_address: 'all' } },
  indexes: ['email_address'],
  secrets: secretsWithin('invitation', invitationSecrets),
  embeds: [{ resource: 'invitations', fields: ['invitation'], find: (data) => listOf([data.invitation]) }],
  api: {
    lists: [{ path: '/waitlist_entries', paging: 'offset', query: OLDEST_FIRST }],
    find: { path: '/waitlist_entries', query: { query: '{id}' } },
  },
})
