/** Settings of the instance. They have no events, so that these actions happen only on request. */

import type { ResourceName } from '../../clerk/catalogue.ts'
import { type Action, action, actionOn } from './action.ts'
import { address, companyName, handle } from './content.ts'
import type { Instance, ResourcePayloads } from './instance.ts'
import { createOrganization } from './organizations.ts'

function change<Name extends ResourceName>(
  name: Name,
  otherwise: Action,
  changes: (instance: Instance) => Partial<ResourcePayloads[Name]>,
): Action {
  return actionOn(name, {
    weight: 0,
    otherwise,
    run: (instance, resource) => {
      instance.update(name, resource, changes(instance))
    },
  })
}

function remove<Name extends ResourceName>(name: Name, otherwise: Action): Action {
  return actionOn(name, {
    weight: 0,
    otherwise,
    run: (instance, resource) => instance.tables[name].delete(resource),
  })
}

const named = ({ random }: Instance) => ({ name: companyName(random) })

export const createEnterpriseConnection = actionOn('organizations', {
  weight: 0,
  otherwise: createOrganization,
  run: (instance, { id }) => {
    const identity = { object: 'enterprise_connection', id: instance.newId('entconn') }
    instance.add('enterprise_connections', identity, {
      ...named(instance),
      provider: 'saml_okta',
      logo_public_url: null,
      active: true,
      domains: [`${handle(instance.random)}.example`],
      organization_id: id,
      sync_user_attributes: true,
      disable_additional_identifications: false,
      allow_organization_account_linking: false,
      custom_attributes: [],
      saml_connection: { id: instance.newId('samlc'), name: 'Okta', active: true, allow_subdomains: false },
      oauth_config: null,
    })
  },
})
export const updateEnterpriseConnection = change(
  'enterprise_connections',
  createEnterpriseConnection,
  ({ random }) => ({ active: random.chance(0.5) }),
)
export const deleteEnterpriseConnection = remove('enterprise_connections', createEnterpriseConnection)

/** Clerk shows the key of a new directory. */
export const createDirectory = actionOn('enterprise_connections', {
  weight: 0,
  otherwise: createEnterpriseConnection,
  run: (instance, { id }) => {
    instance.add(
      'directories',
      { object: 'directory', id: instance.newId('dir') },
      {
        ...named(instance),
        enterprise_connection_id: id,
        endpoint_url: `https://example.accounts.dev/scim/${handle(instance.random)}`,
        provider: 'okta',
        enabled: true,
        group_role_mapping_enabled: true,
        attribute_mapping: { first_name: 'name.givenName' },
        custom_attributes: [],
        api_key: `scim_${instance.random.digits(32)}`,
      },
    )
  },
})
export const updateDirectory = change('directories', createDirectory, ({ random }) => ({
  enabled: random.chance(0.5),
}))
export const deleteDirectory = actionOn('directories', {
  weight: 0,
  otherwise: createDirectory,
  run: ({ tables }, directory) => {
    tables.directory_group_role_mappings.deleteOwnedBy(directory.id)
    tables.directories.delete(directory)
  },
})

export const mapDirectoryGroup = actionOn('directories', {
  weight: 0,
  otherwise: createDirectory,
  run: (instance, { id }) => {
    const identity = { object: 'directory_group_role_mapping', id: instance.newId('dgrm') }
    const [group, name] = [instance.newId('dirgrp'), companyName(instance.random)]
    instance.add('directory_group_role_mappings', identity, {
      directory_id: id,
      scim_directory_id: id,
      directory_group_id: group,
      scim_group_id: group,
      directory_group_display_name: name,
      scim_group_display_name: name,
      role: { object: 'role', id: instance.newId('role'), key: 'org:admin', name: 'Admin' },
      precedence: instance.random.integer(1, 9),
    })
  },
})
export const unmapDirectoryGroup = remove('directory_group_role_mappings', mapDirectoryGroup)

export const createRoleSet = action({
  weight: 0,
  run: (instance) => {
    const item = (key: string) => ({ object: 'role_set_item', id: instance.newId('role'), key, name: key })
    instance.add(
      'role_sets',
      { object: 'role_set', id: instance.newId('roleset') },
      {
        ...named(instance),
        key: `role_set:${handle(instance.random).replaceAll('-', '_')}`,
        description: null,
        roles: [item('org:admin'), item('org:member')],
        default_role: item('org:member'),
        creator_role: item('org:admin'),
        type: 'custom',
        role_set_migration: null,
      },
    )
  },
})
export const updateRoleSet = change('role_sets', createRoleSet, named)

export const createOAuthApplication = action({
  weight: 0,
  run: (instance) => {
    const host = 'https://example.accounts.dev'
    const identity = { object: 'oauth_application', id: instance.newId('oa') }
    instance.add('oauth_applications', identity, {
      instance_id: instance.id,
      ...named(instance),
      client_id: instance.random.digits(16),
      client_uri: null,
      client_image_url: null,
      dynamically_registered: false,
      consent_screen_enabled: true,
      pkce_required: false,
      public: false,
      scopes: 'profile email',
      redirect_uris: ['https://example.com/callback'],
      callback_url: 'https://example.com/callback',
      authorize_url: `${host}/oauth/authorize`,
      token_fetch_url: `${host}/oauth/token`,
      user_info_url: `${host}/oauth/userinfo`,
      discovery_url: `${host}/.well-known/openid-configuration`,
      token_introspection_url: `${host}/oauth/token_info`,
    })
  },
})
export const updateOAuthApplication = change('oauth_applications', createOAuthApplication, named)
export const deleteOAuthApplication = remove('oauth_applications', createOAuthApplication)

export const createMachine = action({
  weight: 0,
  run: (instance) => {
    instance.add(
      'machines',
      { object: 'machine', id: instance.newId('mch') },
      {
        ...named(instance),
        instance_id: instance.id,
        default_token_ttl: 3_600,
        scoped_machines: [],
      },
    )
  },
})
export const updateMachine = change('machines', createMachine, named)
export const deleteMachine = actionOn('machines', {
  weight: 0,
  otherwise: createMachine,
  run: ({ tables }, machine) => {
    tables.m2m_tokens.deleteOwnedBy(machine.id)
    tables.machines.delete(machine)
  },
})

function listIdentifier(name: 'allowlist_identifiers' | 'blocklist_identifiers', prefix: string): Action {
  return action({
    weight: 0,
    run: (instance) => {
      instance.add(
        name,
        { object: name.slice(0, -1), id: instance.newId(prefix) },
        {
          identifier: address(instance.random),
          identifier_type: 'email_address',
          instance_id: instance.id,
        },
      )
    },
  })
}

export const allowIdentifier = listIdentifier('allowlist_identifiers', 'alid')
export const disallowIdentifier = remove('allowlist_identifiers', allowIdentifier)
export const blockIdentifier = listIdentifier('blocklist_identifiers', 'blid')
export const unblockIdentifier = remove('blocklist_identifiers', blockIdentifier)
