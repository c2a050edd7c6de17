import { boolean, defineResource, id, json, text } from '../resource.ts'
import { secretField } from '../secrets.ts'

export const directories = defineResource({
  table: 'directories',
  description: 'The directories (SCIM) that provision users. API keys are not kept.',
  events: {},
  columns: {
    enterprise_connection_id: id(),
    name: text(),
    provider: text(),
    enabled: boolean(),
    endpoint_url: text(),
    group_role_mapping_enabled: boolean(),
    attribute_mapping: json(),
    custom_attributes: json(),
  },
  indexes: ['enterprise_connection_id'],
  secrets: secretField('api_key'),
  api: {
    lists: [{ path: '/directories', paging: 'offset' }],
    get: '/directories/{id}',
  },
})
