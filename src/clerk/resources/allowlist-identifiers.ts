import { defineResource, id, identifying, key, text } from '../resource.ts'

export const allowlistIdentifiers = defineResource({
  table: 'allowlist_identifiers',
  description: 'Who may sign up, where only those on the list may.',
  events: {},
  columns: {
    identifier: identifying(key()),
    identifier_type: text(),
    invitation_id: id(),
  },
  person: { addresses: { identifier: 'all' } },
  indexes: ['identifier'],
  api: {
    lists: [{ path: '/allowlist_identifiers', paging: 'offset' }],
    // There is no identifier by id: a second reading of the list tells what is missing.
    find: { path: '/allowlist_identifiers', query: {}, maxIds: 100 },
  },
})
