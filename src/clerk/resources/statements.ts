import type { PayerPayload, Payload } from '../payloads.ts'
import { bigint, defineResource, id, json, listOf, personal, text, time } from '../resource.ts'

function payments({ groups }: Payload): Payload[] {
  return listOf(groups).flatMap(({ items }) => listOf(items))
}

/** A statement has no clock of its own: the latest look counts. */
export const statements = defineResource({
  table: 'statements',
  description: 'The billing statements of users and organizations, with the payments in them.',
  events: {},
  createdAt: 'timestamp',
  columns: {
    status: text(),
    timestamp: time(),
    payer_id: id('payer.id'),
    payer_user_id: id('payer.user_id'),
    payer_organization_id: id('payer.organization_id'),
    amount: bigint('totals.grand_total.amount'),
    currency: text('totals.grand_total.currency'),
    totals: json(),
    payer: personal(json<PayerPayload>()),
  },
  person: { users: { payer_user_id: ['payer', 'payment_source', 'payment_method'] } },
  indexes: ['payer_user_id', 'payer_organization_id'],
  embeds: [{ resource: 'payment_attempts', fields: ['groups.items'], find: payments }],
  api: {
    lists: [{ path: '/billing/statements', paging: 'offset' }],
    get: '/billing/statements/{id}',
  },
})
