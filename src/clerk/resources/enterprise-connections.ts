import { boolean, defineResource, id, json, text } from '../resource.ts'

export const enterpriseConnections = defineResource({
  table: 'enterprise_connections',
  description: 'The SAML and OAuth connections to identity providers of companies.',
  events: {},
  columns: {
    organization_id: id(),
    name: text(),
    provider: text(),
    active: boolean(),
    domains: json<string[]>(),
    sync_user_attributes: boolean(),
    disable_additional_identifications: boolean(),
    allow_organization_account_linking: boolean(),
    custom_attributes: json(),
    saml_connection: json(),
    oauth_config: json(),
    logo_public_url: text(),
  },
  indexes: ['organization_id'],
  api: {
    lists: [{ path: '/enterprise_connections', paging: 'offset' }],
    get: '/enterprise_connections/{id}',
  },
})
