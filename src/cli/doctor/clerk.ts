/** What Clerk’s Backend API says: whether the key is good, and of what no event tells. */

import { existsSync } from 'node:fs'
import { sql } from 'kysely'
import { findInstance } from '../../backfill/instance.ts'
import { UNLIMITED } from '../../backfill/rate-budget.ts'
import { ClerkApi } from '../../clerk/api/client.ts'
import { OLDEST_FIRST } from '../../clerk/api-description.ts'
import { currentTypes, RESOURCES } from '../../clerk/catalogue.ts'
import type { Resource } from '../../clerk/resource.ts'
import type { Config } from '../../config.ts'
import { ClerkSyncError } from '../../errors.ts'
import type { ClerkSync } from '../../index.ts'
import { type Check, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

/** Where Clerk’s SDKs keep the keys of an app that nobody has claimed. */
const KEYLESS = '.clerk/.tmp/keyless.json'
/** What was created just now may still be on its way. */
const MARGIN_MS = 10 * 60_000
const NEWEST_FIRST = { order_by: '-created_at' }

export function clerkChecks(examined: ExaminedDatabase, config: Config, isOffline: boolean): Check[] {
  if (config.secretKey === '')
    return [{ group: 'clerk', name: 'secret key', run: async () => [withoutKey()] }]
  if (isOffline) return []
  const { secretKey, apiUrl, apiVersion, now } = config
  // Asked once: the doctor wants to know how it is, not to get through.
  const api = new ClerkApi({
    secretKey,
    apiUrl,
    apiVersion,
    timeoutMs: TIMEOUT_MS,
    budget: UNLIMITED,
    now,
    maxTries: 1,
  })
  return [
    { group: 'clerk', name: 'secret key', run: () => checkKey(api, config) },
    {
      group: 'clerk',
      name: 'event types',
      run: async () => ((await examined.isUsable()) ? checkEventTypes(api, config, examined.sync) : []),
    },
  ]
}

const TIMEOUT_MS = 4_000

function withoutKey(): Result {
  const keyless = existsSync(KEYLESS) ? ` ${KEYLESS} has the one of an app that was not claimed yet.` : ''
  return passed(`There is no CLERK_SECRET_KEY: nothing is backfilled or compared with Clerk.${keyless}`)
}

async function checkKey(api: ClerkApi, { instanceIds, apiUrl }: Config): Promise<Result[]> {
  const instance = await findInstance(api, instanceIds, {})
  return [passed(`${new URL(apiUrl).host} accepts the secret key${instance ? `, of ${instance}` : ''}.`)]
}

/** Clerk has something that was created since events arrive, and no event of its kind ever did. */
async function checkEventTypes(api: ClerkApi, config: Config, sync: ClerkSync): Promise<Result[]> {
  const since = await firstEventAt(sync)
  if (since === null) return []
  const candidates = [...RESOURCES.values()].filter((resource) => config.resources.has(resource.table))
  const silent = await Promise.all(
    candidates.map(async (resource) => ((await isSilent(resource, since, api, sync)) ? [resource] : [])),
  )
  return silent.flat().map((resource) => {
    const { table } = resource
    const types = currentTypes(resource).join(', ')
    return found(
      'event_types_missing',
      table,
      `Tick them in Clerk Dashboard → Webhooks → your endpoint: ${types}. Then run clerk-sync backfill ${table}.`,
    )
  })
}

async function firstEventAt({ database }: ClerkSync): Promise<Date | null> {
  const { first } = await database
    .selectFrom('events')
    .where('source', '=', 'webhook')
    .select((eb) => eb.fn.min('received_at').as('first'))
    .executeTakeFirstOrThrow()
  return first
}

async function isSilent(resource: Resource, since: Date, api: ClerkApi, sync: ClerkSync): Promise<boolean> {
  if (await hasEvent(resource, sync)) return false
  const newest = await newestIn(resource, api)
  return newest !== undefined && newest > since.getTime() && newest < Date.now() - MARGIN_MS
}

async function hasEvent({ events }: Resource, { database }: ClerkSync): Promise<boolean> {
  const types = Object.keys(events)
  // Nothing but other resources’ events tells of it.
  if (types.length === 0) return true
  const event = database.selectFrom('events').select(sql`1`.as('one')).where('type', 'in', types)
  return (await event.limit(1).executeTakeFirst()) !== undefined
}

/** When the newest was created; undefined if there is none, or no list that tells. */
async function newestIn({ api: description }: Resource, api: ClerkApi): Promise<number | undefined> {
  const list = description?.lists.find(
    ({ per, parts, query }) => !per && !parts && query?.order_by === OLDEST_FIRST.order_by,
  )
  if (list === undefined) return undefined
  try {
    const { items } = await api.page(list.path, { ...list.query, ...NEWEST_FIRST, limit: '1' }, {})
    return Number(items[0]?.data.created_at) || undefined
  } catch (error) {
    if (error instanceof ClerkSyncError && error.code === 'api_feature_off') return undefined
    throw error
  }
}
