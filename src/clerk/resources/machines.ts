import { OLDEST_FIRST } from '../api-description.ts'
import { defineResource, integer, json, text } from '../resource.ts'

export const machines = defineResource({
  table: 'machines',
  description: 'The machines that have tokens to talk to each other. Their secret keys are not in the list.',
  events: {},
  columns: {
    name: text(),
    default_token_ttl: integer(),
    scoped_machines: json(),
  },
  api: {
    lists: [{ path: '/machines', paging: 'offset', query: OLDEST_FIRST }],
    get: '/machines/{id}',
  },
})
