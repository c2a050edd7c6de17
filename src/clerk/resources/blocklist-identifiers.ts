import { defineResource, identifying, key, text } from '../resource.ts'

export const blocklistIdentifiers = defineResource({
  table: 'blocklist_identifiers',
  description: 'Who may not sign up or in.',
  events: {},
  columns: {
    identifier: identifying(key()),
    identifier_type: text(),
  },
  person: { addresses: { identifier: 'all' } },
  indexes: ['identifier'],
  api: {
    lists: [{ path: '/blocklist_identifiers', paging: 'offset' }],
    // There is no identifier by id: a second reading of the list tells what is missing.
    find: { path: '/blocklist_identifiers', query: {}, maxIds: 100 },
  },
})
