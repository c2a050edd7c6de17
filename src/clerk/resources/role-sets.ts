import { OLDEST_FIRST } from '../api-description.ts'
import { defineResource, json, key, text } from '../resource.ts'

export const roleSets = defineResource({
  table: 'role_sets',
  description:
    'The sets of roles that organizations can use; `organizations.role_set_key` names one by its `key`.',
  events: {},
  columns: {
    key: key(),
    name: text(),
    description: text(),
    type: text(),
    default_role_key: text('default_role.key'),
    creator_role_key: text('creator_role.key'),
    roles: json(),
    role_set_migration: json(),
  },
  indexes: ['key'],
  api: {
    lists: [{ path: '/role_sets', paging: 'offset', query: OLDEST_FIRST }],
    get: '/role_sets/{id}',
  },
})
