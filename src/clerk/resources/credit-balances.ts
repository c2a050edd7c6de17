import { bigint, defineResource, id, text } from '../resource.ts'

/** A balance has neither an id nor a clock: it is its payer's, and the latest look counts. */
export const creditBalances = defineResource({
  table: 'credit_balances',
  description:
    'The billing credits of users and organizations; the key is the id of the user or the organization.',
  events: {},
  columns: {
    user_id: id(),
    organization_id: id(),
    amount: bigint('balance.amount'),
    currency: text('balance.currency'),
  },
  parents: { user_id: 'users', organization_id: 'organizations' },
  api: {
    lists: [
      {
        path: '/users/{id}/billing/credits',
        paging: 'none',
        per: 'users',
        adds: { id: '{id}', user_id: '{id}' },
      },
      {
        path: '/organizations/{id}/billing/credits',
        paging: 'none',
        per: 'organizations',
        adds: { id: '{id}', organization_id: '{id}' },
      },
    ],
  },
})
