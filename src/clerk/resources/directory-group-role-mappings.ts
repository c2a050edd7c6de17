import { defineResource, id, integer, json, text } from '../resource.ts'

export const directoryGroupRoleMappings = defineResource({
  table: 'directory_group_role_mappings',
  description: 'Which group of a directory gets which role.',
  events: {},
  columns: {
    directory_id: id(['directory_id', 'scim_directory_id']),
    directory_group_id: id(['directory_group_id', 'scim_group_id']),
    directory_group_display_name: text(['directory_group_display_name', 'scim_group_display_name']),
    role_id: id('role.id'),
    role_key: text('role.key'),
    precedence: integer(),
    role: json(),
  },
  parents: { directory_id: 'directories' },
  api: {
    lists: [
      { path: '/directories/{id}/group_role_mappings', paging: 'offset', per: 'directories', isFew: true },
    ],
    find: { path: '/directories/{directory_id}/group_role_mappings', query: {} },
  },
})
