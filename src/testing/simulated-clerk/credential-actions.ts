/** Keys, tokens and devices. They have no events, so that these actions happen only on request. */

import { actionOn } from './action.ts'
import { companyName } from './content.ts'
import { createMachine } from './setting-actions.ts'
import { createUser } from './users.ts'

/** What keys and tokens have in common. */
const USABLE = {
  claims: null,
  scopes: [],
  revoked: false,
  revocation_reason: null,
  expired: false,
  expiration: null,
  last_used_at: null,
}
const REVOKED = { revoked: true, revocation_reason: 'not needed any more' }

export const createApiKey = actionOn('users', {
  weight: 0,
  otherwise: createUser,
  run: (instance, { id }) => {
    instance.add(
      'api_keys',
      { object: 'api_key', id: instance.newId('ak') },
      {
        type: 'api_key',
        subject: id,
        name: companyName(instance.random),
        description: null,
        created_by: id,
        ...USABLE,
      },
    )
  },
})
export const revokeApiKey = actionOn('api_keys', {
  weight: 0,
  otherwise: createApiKey,
  run: (instance, key) => {
    instance.update('api_keys', key, REVOKED)
  },
})

export const createM2mToken = actionOn('machines', {
  weight: 0,
  otherwise: createMachine,
  run: (instance, { id }) => {
    const identity = { object: 'machine_to_machine_token', id: instance.newId('mt') }
    instance.add('m2m_tokens', identity, { subject: id, ...USABLE })
  },
})
export const revokeM2mToken = actionOn('m2m_tokens', {
  weight: 0,
  otherwise: createM2mToken,
  run: (instance, token) => {
    instance.update('m2m_tokens', token, REVOKED)
  },
})

export const registerDevice = actionOn('users', {
  weight: 0,
  otherwise: createUser,
  run: (instance, { id }) => {
    instance.add(
      'trusted_devices',
      { object: 'trusted_device', id: instance.newId('td') },
      {
        user_id: id,
        platform: 'ios',
        app_identifier: 'com.example.app',
        name: 'iPhone',
        algorithm: 'ES256',
        status: 'active',
        last_used_at: null,
        revoked_at: null,
      },
    )
  },
})
export const revokeDevice = actionOn('trusted_devices', {
  weight: 0,
  otherwise: registerDevice,
  run: (instance, device) => {
    instance.update('trusted_devices', device, { status: 'revoked', revoked_at: instance.now })
  },
})
