import { boolean, defineResource, id, json, text, time } from '../resource.ts'

export const m2mTokens = defineResource({
  table: 'm2m_tokens',
  description: 'The tokens of machines. The tokens themselves are not in the list.',
  events: {},
  columns: {
    subject: id(),
    claims: json(),
    scopes: json<string[]>(),
    revoked: boolean(),
    revocation_reason: text(),
    expired: boolean(),
    expiration: time(),
    last_used_at: time(),
  },
  parents: { subject: 'machines' },
  api: {
    // No search: Clerk forgets tokens that ended long ago, which is not a deletion.
    lists: [
      {
        path: '/m2m_tokens',
        paging: 'offset',
        per: 'machines',
        query: { subject: '{id}' },
        maxPageSize: 100,
      },
    ],
  },
})
