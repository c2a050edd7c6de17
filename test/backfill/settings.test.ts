/** What a team sets up in Clerk, of which no event tells: only a backfill and a reconcile bring it. */

import { beforeAll, expect, it } from 'vitest'
import type { ClerkSync, ResourceName } from '../../src/index.ts'
import { createSimulatedClerk, type SimulatedAction } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

const CREATE = [
  'createEnterpriseConnection',
  'createDirectory',
  'mapDirectoryGroup',
  'createRoleSet',
  'createOAuthApplication',
  'createMachine',
  'allowIdentifier',
  'blockIdentifier',
  'subscribeUser',
  'attemptPayment',
  'completePayment',
] as const satisfies readonly SimulatedAction[]

const CHANGE = [
  'updateEnterpriseConnection',
  'updateDirectory',
  'updateRoleSet',
  'updateOAuthApplication',
  'updateMachine',
] as const satisfies readonly SimulatedAction[]

const REMOVE = [
  'unmapDirectoryGroup',
  'deleteDirectory',
  'deleteEnterpriseConnection',
  'deleteOAuthApplication',
  'deleteMachine',
  'disallowIdentifier',
  'unblockIdentifier',
] as const satisfies readonly SimulatedAction[]

const SWEPT = [
  'statements',
  'plans',
  'prices',
  'role_sets',
  'enterprise_connections',
  'directories',
  'directory_group_role_mappings',
  'oauth_applications',
  'machines',
  'allowlist_identifiers',
  'blocklist_identifiers',
] as const satisfies readonly ResourceName[]

const ON_REQUEST = ['credit_balances', 'm2m_tokens', 'api_keys', 'trusted_devices'] as const

const countOf = async (sync: ClerkSync, table: string) =>
  (
    await sync.database
      .selectFrom(`${table}_live` as 'users_live')
      .select('id')
      .execute()
  ).length

describeEachDatabase('what a team sets up in Clerk', (database) => {
  const { serve, open } = scenes(database)

  beforeAll(async () => {
    await database.open()
  })

  it('is there after a backfill, follows with a reconcile, and goes with one', async () => {
    const clerk = createSimulatedClerk()
    for (const action of CREATE) for (let times = 0; times < 3; times++) clerk.act(action)
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    const first = await sync.backfill()
    expect(Object.keys(first.resources)).toEqual(expect.arrayContaining([...SWEPT]))
    expect(first.status, JSON.stringify(first.resources)).toBe('complete')
    for (const table of [...SWEPT, 'plan_features', 'payment_attempts']) {
      expect(await countOf(sync, table), table).toBeGreaterThan(0)
    }
    expect(await wrongTables(sync, clerk)).toEqual([])

    for (const action of CHANGE) clerk.act(action)
    clerk.advanceTo(clerk.now + 20_000)
    expect((await sync.reconcile({ full: true })).status).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])

    for (const action of REMOVE) clerk.act(action)
    clerk.advanceTo(clerk.now + 20_000)
    expect((await sync.reconcile({ full: true })).status).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect((await sync.reconcile({ full: true })).drift).toMatchObject({ total: 0 })
  })

  it('joins to what its columns name', async () => {
    const clerk = createSimulatedClerk()
    for (const action of ['subscribeUser', 'attemptPayment', 'createDirectory'] as const) clerk.act(action)
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    await sync.backfill()
    const { database } = sync
    const items = await database
      .selectFrom('subscription_items_live as item')
      .innerJoin('plans_live as plan', 'plan.id', 'item.plan_id')
      .innerJoin('prices_live as price', 'price.id', 'item.price_id')
      .innerJoin('plan_features_live as feature', 'feature.plan_id', 'plan.id')
      .select(['item.plan_amount', 'plan.fee_amount', 'price.amount', 'feature.slug'])
      .execute()
    expect(items.length).toBeGreaterThan(0)
    for (const { plan_amount, fee_amount, amount } of items) {
      expect([fee_amount, amount]).toEqual([plan_amount, plan_amount])
    }
    const attempts = await database
      .selectFrom('payment_attempts_live as attempt')
      .innerJoin('statements_live as statement', 'statement.id', 'attempt.statement_id')
      .select(['statement.amount', 'attempt.amount as paid'])
      .execute()
    expect(attempts.map(({ paid }) => paid)).toEqual(attempts.map(({ amount }) => amount))
    expect(attempts.length).toBeGreaterThan(0)
  })

  it('joins an organization to its role set by the key', async () => {
    const clerk = createSimulatedClerk()
    clerk.act('createRoleSet')
    const [roleSet] = clerk.resources('role_sets').values()
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    await deliver(sync, eventOf('organization.created', { id: 'org_joined', role_set_key: roleSet?.key }))
    await sync.backfill({ resources: ['role_sets'] })
    const joined = await sync.database
      .selectFrom('organizations_live as organization')
      .innerJoin('role_sets_live as role_set', 'role_set.key', 'organization.role_set_key')
      .select(['organization.id', 'role_set.id as role_set_id', 'role_set.creator_role_key'])
      .execute()
    expect(joined).toEqual([{ id: 'org_joined', role_set_id: roleSet?.id, creator_role_key: 'org:admin' }])
  })

  it('comes without the key of a directory', async () => {
    const clerk = createSimulatedClerk()
    clerk.act('createDirectory')
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    await sync.backfill({ resources: ['directories'] })
    const [row] = await sync.database.selectFrom('directories').selectAll().execute()
    expect(row?.raw).toMatchObject({ api_key: '[redacted]', provider: 'okta' })
  })

  it('is read per user, organization or machine only if it is named', async () => {
    const clerk = createSimulatedClerk()
    for (const action of ['createApiKey', 'createM2mToken', 'registerDevice'] as const) clerk.act(action)
    clerk.act('createOrganization')
    clerk.act('revokeApiKey')
    const api = await serve(clerk)
    const sync = await open(api)
    await emptyAll(sync)
    expect(Object.keys((await sync.backfill()).resources)).not.toEqual(
      expect.arrayContaining([ON_REQUEST[0]]),
    )
    const { status, resources } = await sync.backfill({ resources: [...ON_REQUEST] })
    expect(status, JSON.stringify(resources)).toBe('complete')
    const { database } = sync
    const [key] = await database.selectFrom('api_keys').selectAll().execute()
    expect(key).toMatchObject({ user_id: key?.subject, organization_id: null, revoked: true })
    expect(await countOf(sync, 'm2m_tokens')).toBe(1)
    const [device] = await database.selectFrom('trusted_devices').selectAll().execute()
    expect(clerk.resources('users').has(String(device?.user_id))).toBe(true)
    const balances = await database.selectFrom('credit_balances').selectAll().execute()
    expect(balances).toHaveLength(clerk.resources('users').size + clerk.resources('organizations').size)
    for (const { id, user_id, organization_id, amount, currency } of balances) {
      expect([user_id ?? organization_id, amount, currency]).toEqual([id, 500, 'USD'])
    }
    await sync.clerk.apply('trusted_devices', String(device?.id))
    expect(await countOf(sync, 'trusted_devices')).toBe(1)
  })

  it('goes with the user or machine that it belongs to', async () => {
    const clerk = createSimulatedClerk()
    for (const action of ['createApiKey', 'createM2mToken', 'registerDevice'] as const) clerk.act(action)
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    await sync.backfill()
    await sync.backfill({ resources: [...ON_REQUEST] })
    for (const id of clerk.resources('users').keys()) clerk.act('deleteUser', id)
    clerk.act('deleteMachine')
    clerk.advanceTo(clerk.now + 20_000)
    await sync.reconcile({ full: true, maxDeletions: 1_000 })
    for (const table of ON_REQUEST) expect(await countOf(sync, table), table).toBe(0)
  })
})
