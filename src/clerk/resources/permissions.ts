import { OLDEST_FIRST } from '../api-description.ts'
import { defineResource, key, text } from '../resource.ts'

export const permissions = defineResource({
  table: 'permissions',
  description: 'The permissions that roles can hold.',
  events: { 'permission.created': 'upsert', 'permission.updated': 'upsert', 'permission.deleted': 'delete' },
  columns: {
    key: key(),
    name: text(),
    description: text(),
    type: text(),
  },
  indexes: ['key'],
  api: {
    lists: [{ path: '/organization_permissions', paging: 'offset', query: OLDEST_FIRST }],
    get: '/organization_permissions/{id}',
  },
})
