import { bigint, boolean, defineResource, id, text } from '../resource.ts'

/** Prices do not change: a plan gets another one. */
export const prices = defineResource({
  table: 'prices',
  description: 'The prices of plans, also those that only some payers have.',
  events: {},
  columns: {
    plan_id: id(),
    amount: bigint(['fee.amount', 'amount']),
    annual_monthly_amount: bigint(['annual_monthly_fee.amount', 'annual_monthly_amount']),
    currency: text(['fee.currency', 'currency']),
    description: text(),
    is_default: boolean(),
    supported_billing_periods: text(),
  },
  indexes: ['plan_id'],
  api: {
    lists: [{ path: '/billing/prices', paging: 'offset' }],
    find: { path: '/billing/prices', query: { plan_id: '{plan_id}' } },
  },
})
