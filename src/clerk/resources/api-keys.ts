import type { ApiList } from '../api-description.ts'
import type { Payload } from '../payloads.ts'
import { boolean, defineResource, id, json, personal, text, time } from '../resource.ts'

/** Keys are asked for by whom they belong to; those that were revoked or expired, only on request. */
function listPer(table: 'users' | 'organizations'): ApiList {
  const query = { subject: '{id}', include_invalid: 'true' }
  return { path: '/api_keys', paging: 'offset', per: table, query, maxPageSize: 100 }
}

/** The subject, if it is of this kind. */
function subject(prefix: string) {
  return ({ subject }: Payload) =>
    typeof subject === 'string' && subject.startsWith(prefix) ? subject : null
}

export const apiKeys = defineResource({
  table: 'api_keys',
  description: 'The API keys of users and organizations. The secrets of keys are not in the list.',
  events: {},
  columns: {
    subject: id(),
    user_id: id(subject('user_')),
    organization_id: id(subject('org_')),
    type: text(),
    name: personal(text()),
    description: personal(text()),
    claims: personal(json()),
    scopes: json<string[]>(),
    revoked: boolean(),
    revocation_reason: text(),
    expired: boolean(),
    expiration: time(),
    created_by: id(),
    last_used_at: time(),
  },
  parents: { user_id: 'users', organization_id: 'organizations' },
  api: {
    lists: [listPer('users'), listPer('organizations')],
    get: '/api_keys/{id}',
  },
})
