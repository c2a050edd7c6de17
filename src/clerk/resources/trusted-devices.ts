import { defineResource, id, personal, text, time } from '../resource.ts'

export const trustedDevices = defineResource({
  table: 'trusted_devices',
  description: 'The phones and tablets that users have registered.',
  events: {},
  columns: {
    user_id: id(),
    name: personal(text()),
    platform: text(),
    app_identifier: text(),
    algorithm: text(),
    status: text(),
    last_used_at: time(),
    revoked_at: time(),
  },
  parents: { user_id: 'users' },
  api: {
    lists: [
      {
        path: '/users/{id}/trusted_devices',
        paging: 'offset',
        per: 'users',
        // Devices do not name their user.
        adds: { user_id: '{id}' },
      },
    ],
    find: { path: '/users/{user_id}/trusted_devices', query: {}, adds: { user_id: '{user_id}' } },
  },
})
