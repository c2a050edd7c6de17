import { OLDEST_FIRST } from '../api-description.ts'
import type { PermissionPayload } from '../payloads.ts'
import { boolean, defineResource, json, key, listOf, text } from '../resource.ts'

export const roles = defineResource({
  table: 'roles',
  description: 'The roles that members of organizations can have.',
  events: { 'role.created': 'upsert', 'role.updated': 'upsert', 'role.deleted': 'delete' },
  columns: {
    key: key(),
    name: text(),
    description: text(),
    is_creator_eligible: boolean(),
    permissions: json<PermissionPayload[]>(),
  },
  indexes: ['key'],
  embeds: [{ resource: 'permissions', fields: ['permissions'], find: (data) => listOf(data.permissions) }],
  api: {
    lists: [{ path: '/organization_roles', paging: 'offset', query: OLDEST_FIRST }],
    get: '/organization_roles/{id}',
  },
})
