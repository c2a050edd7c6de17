import { bigint, boolean, defineChildSet, defineResource, id, integer, json, key, text } from '../resource.ts'

export const planFeatures = defineChildSet({
  table: 'plan_features',
  description: 'The features of each plan.',
  field: 'features',
  parentColumn: 'plan_id',
  identity: ['id', 'slug'],
  columns: {
    slug: key(),
    name: text(),
    description: text(),
    avatar_url: text(),
  },
})

/** Plans have no clock of their own: the latest look counts. */
export const plans = defineResource({
  table: 'plans',
  description: 'The plans that can be subscribed to.',
  events: {},
  columns: {
    slug: key(),
    name: text(),
    description: text(),
    product_id: id(),
    for_payer_type: text(),
    is_default: boolean(),
    is_recurring: boolean(),
    publicly_visible: boolean(),
    has_base_fee: boolean(),
    fee_amount: bigint('fee.amount'),
    annual_fee_amount: bigint('annual_fee.amount'),
    annual_monthly_fee_amount: bigint('annual_monthly_fee.amount'),
    currency: text('fee.currency'),
    free_trial_enabled: boolean(),
    free_trial_days: integer(),
    unit_prices: json(),
    avatar_url: text(),
  },
  indexes: ['slug'],
  children: [planFeatures],
  api: {
    lists: [{ path: '/billing/plans', paging: 'offset' }],
    // There is no plan by id: a second reading of the list tells what is missing.
    find: { path: '/billing/plans', query: {}, maxIds: 100 },
  },
})
