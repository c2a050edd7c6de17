import { defineResource, text } from '../resource.ts'

export const permissions = defineResource({
  table: 'permissions',
  description: 'The permissions that roles can hold.',
  events: { 'permission.created': 'upsert', 'permission.updated': 'upsert', 'permission.deleted': 'delete' },
  columns: {
    key: text(),
    name: text(),
    description: text(),
    type: text(),
  },
  indexes: ['key'],
})
