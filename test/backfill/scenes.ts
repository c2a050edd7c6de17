/** A simulated Clerk with its Backend API, and syncs that read from it. */

import { afterAll, expect, vi } from 'vitest'
import type { ClerkSync, ClerkSyncOptions } from '../../src/index.ts'
import {
  asBackendApi,
  type BackendApi,
  type BackendApiOptions,
  compareTables,
  type SimulatedClerk,
  startBackendApi,
  type TableComparison,
} from '../../src/testing/index.ts'
import type { TestDatabase } from '../support/databases.ts'
import { empty } from '../testing/histories.ts'

/** Opens syncs and servers; closed after the file's tests. */
export function scenes(database: TestDatabase) {
  const opened: BackendApi[] = []
  afterAll(async () => {
    for (const api of opened) await api.close()
  })
  const serve = async (clerk: SimulatedClerk, options: BackendApiOptions = {}) => {
    const api = await startBackendApi(clerk, { rateLimit: null, ...options })
    opened.push(api)
    return api
  }
  const open = (api: BackendApi, options: ClerkSyncOptions = {}): Promise<ClerkSync> =>
    database.open({
      secretKey: api.secretKey,
      apiUrl: api.url,
      apiRateLimit: Number.POSITIVE_INFINITY,
      ...options,
    })
  return { serve, open }
}

/** Only events tell of these, or Clerk shows them in another shape; tests of their own look at them. */
const NOT_COMPARED = new Set([
  'emails',
  'sms_messages',
  'payment_attempts',
  'subscriptions',
  'subscription_items',
  'sessions',
  'api_keys',
  'm2m_tokens',
  'trusted_devices',
  'credit_balances',
])

/** Columns that rightly differ. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  // Only the event of an acceptance tells who accepted.
  organization_invitations: ['user_id', 'raw'],
  // The same fields come in another order, and what says the same is not written again.
  organizations: ['raw'],
}

/** The tables that are not as the Backend API shows them. */
export async function wrongTables(sync: ClerkSync, clerk: SimulatedClerk): Promise<TableComparison[]> {
  const comparisons = await compareTables(sync.database, asBackendApi(clerk), {
    isCompared: (table, column) => !DIFFERENT[table]?.includes(column),
  })
  return comparisons.filter(({ table, differenceCount }) => differenceCount > 0 && !NOT_COMPARED.has(table))
}

/** Until Clerk was asked for every row that came late. */
export async function untilAsked(sync: ClerkSync): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(await sync.database.selectFrom('pending_verifications').select('id').execute()).toEqual([]),
    { timeout: 60_000, interval: 20 },
  )
}

/** As after `migrate`. */
export async function emptyAll(sync: ClerkSync): Promise<void> {
  await empty(sync)
  for (const table of [
    'jobs',
    'sweep_seen_ids',
    'sweep_starts',
    'pending_verifications',
    'api_budgets',
  ] as const) {
    await sync.database.deleteFrom(table).execute()
  }
}
