import type { Payload } from '../payloads.ts'
import { defineResource, id, json, listOf, personal, text, time } from '../resource.ts'
import { secretsWithin } from '../secrets.ts'
import { userSecrets } from './users.ts'

/** A user is whole only with its sets: without them, taking it over would delete them. */
function wholeUser(data: Payload): Payload[] {
  return listOf([data.user]).filter((user) => Array.isArray(user.email_addresses))
}

export const sessions = defineResource({
  table: 'sessions',
  description:
    'Sign-in sessions. Clerk sends no event when one expires: a reconcile sets its `status`; until then look at `expire_at` and `abandon_at` too.',
  events: {
    'session.created': 'upsert',
    'session.pending': 'upsert',
    'session.ended': 'upsert',
    'session.removed': 'upsert',
    'session.revoked': 'upsert',
  },
  columns: {
    user_id: id(),
    client_id: id(),
    status: text(),
    last_active_organization_id: id(),
    last_active_at: time(),
    expire_at: time(),
    abandon_at: time(),
    // What is left to be done before a pending session is active. Only the Backend API has them.
    tasks: json(),
    actor: personal(json()),
    latest_activity: personal(json()),
  },
  parents: { user_id: 'users' },
  expiry: { open: ['active', 'pending'], ends: { abandon_at: 'abandoned', expire_at: 'expired' } },
  forgotten: 'ended',
  secrets: secretsWithin('user', userSecrets),
  embeds: [{ resource: 'users', fields: ['user'], find: wholeUser }],
  api: {
    // No `get`: Clerk forgets sessions that ended long ago, which is not a deletion.
    lists: [{ path: '/sessions', paging: 'offset', per: 'users', query: { user_id: '{id}' } }],
    // Events hold the user too.
    shape: 'less',
  },
})
