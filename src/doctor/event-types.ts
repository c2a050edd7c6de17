/**
 * Whether every event type that the tables need is sent: what Svix says of the endpoint, and what arrived beside what Clerk
 * has. Where Svix does not say, a type is missing only if something happened of which it should have told.
 */

import { sql } from 'kysely'
import type { ClerkApi } from '../clerk/api/client.ts'
import { PortalUnreadable, readEndpoints, type WebhookEndpoint } from '../clerk/api/portal.ts'
import { OLDEST_FIRST } from '../clerk/api-description.ts'
import { currentTypes, RESOURCES } from '../clerk/catalogue.ts'
import { toDate } from '../clerk/event.ts'
import type { EventType } from '../clerk/payloads.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Config } from '../config.ts'
import { ClerkSyncError } from '../errors.ts'
import type { ClerkSync } from '../index.ts'
import { type Check, found, passed, type Result } from './check.ts'
import type { ExaminedDatabase } from './database.ts'

export interface EventTypesOptions {
  /** The webhook route as Clerk calls it, if it is known. */
  readonly address: URL | undefined
  /** Whether Svix may be asked: each time, Clerk makes a link that logs in. */
  readonly readsEndpoints: boolean
}

/** What was created just now may still be on its way. */
const MARGIN_MS = 10 * 60_000
const DAY_MS = 86_400_000
/** Svix disables an endpoint after so many days of failures. */
const DISABLED_AFTER_DAYS = 5
const MAX_ITEMS = 100
const NEWEST_FIRST = { order_by: '-created_at', limit: String(MAX_ITEMS) }
/** Every instance has some of these from the beginning. */
const PRESET = new Set(['roles', 'permissions'])
/** Clerk changes these without an event. */
const QUIET = new Set(['updated_at', 'last_active_at', 'last_sign_in_at'])
/** Three answers of Svix, then some of Clerk. */
const LIMIT_MS = 15_000

export function eventTypesCheck(
  examined: ExaminedDatabase,
  config: Config,
  api: ClerkApi,
  timeoutMs: number,
  { address, readsEndpoints }: EventTypesOptions,
): Check {
  const { secretKey, apiUrl, apiVersion } = config
  const run = async (): Promise<Result[]> => {
    const access = { secretKey, apiUrl, apiVersion, timeoutMs }
    const endpoints = readsEndpoints ? await readEndpoints(access).catch(toUnread) : undefined
    const arrivals = (await examined.isUsable()) ? await readArrivals(api, config, examined.sync) : undefined
    if (Array.isArray(endpoints)) return judgeEndpoints(endpoints, address, config, arrivals)
    const results = arrivals ? judgeArrivals(arrivals) : []
    return endpoints === undefined || results.some(({ code }) => code !== null)
      ? results
      : [found('endpoint_unread', endpoints as string)]
  }
  return { group: 'clerk', name: 'event types', limitMs: LIMIT_MS, run }
}

/** Why the endpoints are not known. A key that is refused is said by the check of the key. */
function toUnread(error: unknown): string {
  if (error instanceof PortalUnreadable || error instanceof ClerkSyncError)
    return error.message.replace(/\.$/, '')
  throw error
}

/** For one resource: which of its types ever arrived, and which records in Clerk have no event. */
interface Arrival {
  readonly resource: Resource
  readonly received: ReadonlySet<string>
  /** How many Clerk shows that were created since events arrive. */
  readonly created: number
  /** How many of those have no event. */
  readonly unreported: number
  /** Of those, how many are newer than the last event. */
  readonly newer: number
  /** Differences without an event that the last reconcile found. */
  readonly drift: { readonly changed: number; readonly deleted: number }
  /** Whether Clerk has any; undefined where no list tells. */
  readonly exists: boolean | undefined
}

interface Arrivals {
  /** When the last event came; null if none ever did. */
  readonly lastAt: Date | null
  readonly of: readonly Arrival[]
}

async function readArrivals(api: ClerkApi, config: Config, sync: ClerkSync): Promise<Arrivals> {
  const { first, last } = await sync.database
    .selectFrom('events')
    .where('source', '=', 'webhook')
    .select((eb) => [eb.fn.min('received_at').as('first'), eb.fn.max('received_at').as('last')])
    .executeTakeFirstOrThrow()
  const drift = first ? await readDrift(sync, first) : new Map()
  const of = await Promise.all(
    keptResources(config).map(async (resource) => {
      const items = await listNewest(resource, api)
      const [received, counts] = first
        ? [await readReceived(resource, sync), await countUnreported(items ?? [], first, last as Date, sync)]
        : [new Set<string>(), NOTHING]
      const exists = items && items.length > 0
      return { resource, received, ...counts, drift: drift.get(resource.table) ?? NO_DRIFT, exists }
    }),
  )
  return { lastAt: last, of }
}

const NOTHING = { created: 0, unreported: 0, newer: 0 }
const NO_DRIFT = { changed: 0, deleted: 0 }

function keptResources({ resources }: Config): Resource[] {
  return [...RESOURCES.values()].filter(
    (resource) => resources.has(resource.table) && currentTypes(resource).length > 0,
  )
}

interface Item {
  readonly id: string
  readonly createdAt: Date
}

/** The newest that Clerk has; undefined if no list tells, or the feature is off. */
async function listNewest({ api: description }: Resource, api: ClerkApi): Promise<Item[] | undefined> {
  const list = description?.lists.find(
    ({ per, parts, query }) => !per && !parts && query?.order_by === OLDEST_FIRST.order_by,
  )
  if (list === undefined) return undefined
  try {
    const { items } = await api.page(list.path, { ...list.query, ...NEWEST_FIRST }, {})
    return items.flatMap(({ id, data }) => {
      const createdAt = toDate(data.created_at)
      return createdAt ? [{ id, createdAt }] : []
    })
  } catch (error) {
    if (error instanceof ClerkSyncError && error.code === 'api_feature_off') return undefined
    throw error
  }
}

async function readReceived(resource: Resource, { database }: ClerkSync): Promise<Set<string>> {
  const types = Object.keys(resource.events)
  const came = await Promise.all(
    types.map((type) =>
      database
        .selectFrom('events')
        .select('type')
        .where('type', '=', type)
        .where('source', '=', 'webhook')
        .limit(1)
        .executeTakeFirst(),
    ),
  )
  return new Set(came.flatMap((row) => row?.type ?? []))
}

async function countUnreported(items: readonly Item[], first: Date, last: Date, { database }: ClerkSync) {
  const latest = Date.now() - MARGIN_MS
  const created = items.filter(({ createdAt }) => createdAt > first && createdAt.getTime() < latest)
  if (created.length === 0) return NOTHING
  const reported = await database
    .selectFrom('events')
    .select('resource_id')
    .distinct()
    .where('source', '=', 'webhook')
    .where(
      'resource_id',
      'in',
      created.map(({ id }) => id),
    )
    .execute()
  const ids = new Set(reported.map((row) => row.resource_id))
  const unreported = created.filter(({ id }) => !ids.has(id))
  const newer = unreported.filter(({ createdAt }) => createdAt > last)
  return { created: created.length, unreported: unreported.length, newer: newer.length }
}

interface Unreported {
  readonly resource: string
  readonly changed: number
  readonly deleted: number
}

/** Differences without an event that the reconciles since the first event found, by resource. */
async function readDrift({ database, location }: ClerkSync, first: Date): Promise<Map<string, Unreported>> {
  const { rows } = await sql<Unreported>`
    select drift->>'resource' as resource,
      count(*) filter (where drift->>'kind' = 'stale' and exists (
        select from jsonb_array_elements_text(drift->'fields') as field
        where field <> all(${[...QUIET]}::text[])))::int as changed,
      count(*) filter (where drift->>'kind' = 'extra')::int as deleted
    from ${sql.id(location.schema, 'jobs')} as job, jsonb_array_elements(job.report->'first') as drift
    where job.kind = 'reconcile' and job.created_at > ${first} and drift->>'cause' = 'no_event'
    group by 1`.execute(database)
  return new Map(rows.map((row) => [row.resource, row]))
}

/** What is missing by what arrived, and whether anything arrives at all. */
function judgeArrivals({ lastAt, of }: Arrivals): Result[] {
  // That nothing ever came is said elsewhere.
  if (lastAt === null) return []
  const missing = of.flatMap(missingByArrival)
  const stopped = judgeSilence(lastAt, of)
  if (missing.length + stopped.length > 0) return [...missing, ...stopped]
  return [passed('Every new record in Clerk arrived as an event.')]
}

function missingByArrival({ resource, received, created, unreported, drift }: Arrival): Result[] {
  const types = currentTypes(resource)
  const { table } = resource
  if (unreported > 0 && received.size === 0) {
    const number = unreported === MAX_ITEMS ? `${unreported} or more` : unreported
    const share =
      unreported === created
        ? 'but no event for them has arrived'
        : `but no event for ${unreported} of them has arrived`
    const what = named(table, unreported)
    return [missing(`Clerk has ${number} ${what} since the first event, ${share}`, types, table)]
  }
  const never = (type: EventType) => !received.has(type)
  const facts: [count: number, fact: string, types: EventType[]][] = [
    [unreported, 'created', types.filter(isCreation)],
    [
      drift.changed,
      'changed',
      types.filter((type) => resource.events[type] === 'upsert' && !isCreation(type)),
    ],
    [drift.deleted, 'deleted', types.filter((type) => resource.events[type] === 'delete')],
  ]
  return facts.flatMap(([count, fact, candidates]) => {
    const silent = candidates.filter(never)
    if (count === 0 || silent.length === 0) return []
    const verb = count === 1 ? 'was' : 'were'
    return [
      missing(`${count} ${named(table, count)} ${verb} ${fact} in Clerk without an event`, silent, table),
    ]
  })
}

function isCreation(type: EventType): boolean {
  return type.endsWith('.created')
}

function missing(fact: string, types: readonly EventType[], table: string): Result {
  const names = types.join(', ')
  return found(
    'event_types_missing',
    `${fact}: ${names}`,
    `Select them in Clerk Dashboard → Webhooks → your endpoint: ${names}. Then run \`clerk-sync backfill ${table}\`, or \`clerk-sync reconcile\` to catch deletions as well.`,
  )
}

/** `1 waitlist entry` */
function named(table: string, count: number): string {
  const words = table.replaceAll('_', ' ')
  return count === 1 ? words.replace(/ies$/, 'y').replace(/s$/, '') : words
}

/** Types that came before came no more, while Clerk went on. */
function judgeSilence(lastAt: Date, of: readonly Arrival[], isEnabled = false): Result[] {
  const newer = of.filter(({ newer, received }) => newer > 0 && received.size > 0)
  if (newer.length === 0) return []
  const days = Math.floor((Date.now() - lastAt.getTime()) / DAY_MS)
  const what = newer.map(({ newer, resource }) => `${newer} ${named(resource.table, newer)}`).join(' and ')
  const fact = `${what}, since the last event at ${lastAt.toISOString()}`
  if (isEnabled || days < DISABLED_AFTER_DAYS) return [found('deliveries_stopped', fact)]
  return [
    found(
      'deliveries_stopped',
      fact,
      `Svix disables an endpoint after ${DISABLED_AFTER_DAYS} days of failures, and has probably disabled this one. ${enableAgain(lastAt)}`,
    ),
  ]
}

/** What a disabled endpoint did not send, it never sends by itself. */
function enableAgain(lastAt: Date | null): string {
  const since = lastAt ? `since ${lastAt.toISOString()}` : 'since it was disabled'
  return [
    'First fix the route: `clerk-sync doctor --url` tests it.',
    'Then enable the endpoint in Clerk Dashboard → Webhooks; `clerk-sync doctor --portal` prints a link to it.',
    `Then fetch what it missed in one of two ways. \`clerk-sync reconcile\` makes one request to Clerk per 500 rows, brings the rows up to date, and runs handlers once for each row that differs.`,
    `“Replay missing messages” ${since}, in the endpoint’s menu, sends each missed message again, if Svix still keeps it (90 days), and handlers run for each of them.`,
  ].join(' ')
}

/** What Svix says is exact: which endpoints there are, whether they are enabled, and what is ticked. */
function judgeEndpoints(
  endpoints: readonly WebhookEndpoint[],
  address: URL | undefined,
  config: Config,
  arrivals: Arrivals | undefined,
): Result[] {
  if (endpoints.length === 0) return [found('endpoint_missing')]
  const own = address && !isLocal(address) ? endpoints.filter(({ url }) => isSame(url, address)) : endpoints
  if (own.length === 0) return [found('endpoint_missing', `none of ${namesOf(endpoints)} has this address`)]
  const enabled = own.filter(({ isDisabled }) => !isDisabled)
  const lastAt = arrivals?.lastAt ?? null
  if (enabled.length === 0) return [found('endpoint_disabled', namesOf(own), enableAgain(lastAt))]
  const isTicked = (type: string) => enabled.some(({ types }) => types === null || types.includes(type))
  const unticked = keptResources(config)
    .map((resource) => ({ resource, types: currentTypes(resource).filter((type) => !isTicked(type)) }))
    .filter(({ types }) => types.length > 0)
  const needed = unticked.filter(({ resource, types }) => isNeeded(resource, types, arrivals))
  const silence = arrivals?.lastAt ? judgeSilence(arrivals.lastAt, arrivals.of, true) : []
  if (needed.length > 0)
    return [...needed.map(({ resource, types }) => untick(resource, types, arrivals)), ...silence]
  const rest = unticked.flatMap(({ types }) => types)
  const others = rest.length > 0 ? ` Not selected, and not needed: ${rest.join(', ')}.` : ''
  return [passed(`${namesOf(enabled)} receives the event types that the tables need.${others}`), ...silence]
}

/** A kind of which nothing is ticked is missed only where Clerk has some. */
function isNeeded(resource: Resource, types: readonly EventType[], arrivals: Arrivals | undefined): boolean {
  if (types.length < currentTypes(resource).length) return true
  const { exists, created } = arrivals?.of.find((each) => each.resource === resource) ?? {}
  return exists === true && (!PRESET.has(resource.table) || (created ?? 0) > 0)
}

function untick(resource: Resource, types: readonly EventType[], arrivals: Arrivals | undefined): Result {
  const { created = 0, unreported = 0 } = arrivals?.of.find((each) => each.resource === resource) ?? {}
  const none =
    created > 0 && unreported === created
      ? `Clerk has ${created} ${named(resource.table, created)} since the first event, but no event for them has arrived`
      : undefined
  return missing(
    none ?? `${named(resource.table, 2)} need event types that the endpoint does not send`,
    types,
    resource.table,
  )
}

/** Without the query, which may hold a secret that a proxy wants to see. */
function namesOf(endpoints: readonly WebhookEndpoint[]): string {
  return endpoints
    .map(({ url }) => (URL.canParse(url) ? withoutQuery(new URL(url)) : 'an endpoint'))
    .join(', ')
}

function withoutQuery({ origin, pathname }: URL): string {
  return origin + pathname
}

function isSame(url: string, address: URL): boolean {
  return URL.canParse(url) && withoutQuery(new URL(url)) === withoutQuery(address)
}

function isLocal({ hostname }: URL): boolean {
  return /^(localhost|127\.|\[::1\])/.test(hostname)
}
