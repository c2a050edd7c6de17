/**
 * The webhook endpoints of a Clerk instance, as Svix has them.
 *
 * Clerk's Backend API lists no endpoints. It makes a link that logs in to Svix's portal: the fragment holds a one-time token,
 * which the portal exchanges for a token of Svix's API below its own origin. The same is done here, to read. The exchange
 * is not documented, so an answer of another shape says only that endpoints cannot be read.
 */

import { ClerkSyncError } from '../../errors.ts'
import { isObject } from '../event.ts'
import { Throttled, Transient, toFailure } from './failure.ts'

export interface PortalAccess {
  readonly secretKey: string
  /** `https://api.clerk.com` */
  readonly apiUrl: string
  /** Clerk's API version, a date. */
  readonly apiVersion: string
  /** The longest that one answer may take, in milliseconds. */
  readonly timeoutMs: number
}

/** An endpoint that somebody created in Clerk's dashboard. */
export interface WebhookEndpoint {
  readonly url: string
  /** Switched off, by hand or by Svix after five days of failures: nothing is sent. */
  readonly isDisabled: boolean
  /** The event types that are ticked; null if none is, which means all. */
  readonly types: readonly string[] | null
}

/** Svix answered in a shape that is not known here, or not at all. */
export class PortalUnreadable extends Error {}

const PATH = '/webhooks/svix_url'
const PAGE_SIZE = 100
const MAX_PAGES = 20

/**
 * Makes a link that logs in to the portal, once and for a short time: a secret, never to be logged. Null if the instance has
 * no webhooks yet.
 * @throws {ClerkSyncError} `api_…`
 */
export async function createPortalLink({
  secretKey,
  apiUrl,
  apiVersion,
  timeoutMs,
}: PortalAccess): Promise<string | null> {
  const headers = {
    authorization: `Bearer ${secretKey}`,
    accept: 'application/json',
    'clerk-api-version': apiVersion,
    'user-agent': 'clerk-sync',
  }
  const init = {
    method: 'POST',
    headers,
    signal: AbortSignal.timeout(timeoutMs),
  }
  const { response, body } = await exchange(`${apiUrl}/v1${PATH}`, init).catch((error) => {
    throw new ClerkSyncError('api_unavailable', `POST ${PATH} → ${error.cause?.message ?? error.message}`)
  })
  if (!response.ok) return withoutWebhooks(response, body)
  const { svix_url: link } = parseObject(body)
  if (typeof link === 'string' && URL.canParse(link)) return link
  throw new ClerkSyncError('api_unavailable', `POST ${PATH} → no link`)
}

/** A redirect would take the key along to another place; a connection may also end in the middle of the answer. */
async function exchange(url: string, init: RequestInit): Promise<{ response: Response; body: Uint8Array }> {
  const response = await fetch(url, { ...init, redirect: 'error' })
  return { response, body: new Uint8Array(await response.arrayBuffer()) }
}

/** Null where an error says that no endpoint was ever created. */
function withoutWebhooks(response: Response, body: Uint8Array): null {
  if (response.status === 400 && Buffer.from(body).includes('svix_app_missing')) return null
  const failure = toFailure(`POST ${PATH}`, response, body, new Date())
  if (failure instanceof Throttled) throw new ClerkSyncError('api_throttled', `POST ${PATH}`)
  if (failure instanceof Transient) throw new ClerkSyncError('api_unavailable', failure.message)
  throw failure
}

/**
 * Reads the endpoints of an instance; none if it has no webhooks yet.
 * @throws {ClerkSyncError} `api_…`
 * @throws {PortalUnreadable}
 */
export async function readEndpoints(access: PortalAccess): Promise<readonly WebhookEndpoint[]> {
  const link = await createPortalLink(access)
  if (link === null) return []
  const { appId, oneTimeToken, api } = readLink(link)
  const ask = (path: string, init: RequestInit) => askSvix(`${api}${path}`, init, access.timeoutMs)
  const { token } = await ask('/auth/one-time-token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ oneTimeToken, appId }),
  })
  const headers = { authorization: `Bearer ${token}` }
  const endpoints: WebhookEndpoint[] = []
  let iterator: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) })
    if (typeof iterator === 'string') query.set('iterator', iterator)
    const answer = await ask(`/app/${encodeURIComponent(appId)}/endpoint?${query}`, { headers })
    if (!Array.isArray(answer.data)) throw new PortalUnreadable('Svix answered with no list of endpoints')
    endpoints.push(...answer.data.map(toEndpoint))
    if (answer.done !== false || typeof answer.iterator !== 'string') break
    iterator = answer.iterator
  }
  return endpoints
}

interface PortalKey {
  readonly appId: string
  readonly oneTimeToken: string
  /** Where the portal itself finds Svix's API: below its own origin, by region. */
  readonly api: string
}

function readLink(link: string): PortalKey {
  const { origin, protocol, hostname, hash } = new URL(link)
  // A `+` of base64 is a space in a query.
  const key = new URLSearchParams(hash.slice(1)).get('key')?.replaceAll(' ', '+') ?? ''
  const { appId, oneTimeToken, region } = parseObject(Buffer.from(key, 'base64'))
  const isPrivate = protocol === 'https:' || hostname === '127.0.0.1'
  const isRegion = typeof region === 'string' && /^[a-z0-9-]+$/.test(region)
  if (!isPrivate || !isRegion || typeof appId !== 'string' || typeof oneTimeToken !== 'string')
    throw new PortalUnreadable('Clerk’s link to Svix’s portal has an unknown shape')
  return { appId, oneTimeToken, api: `${origin}/api/${region}/api/v1` }
}

async function askSvix(url: string, init: RequestInit, timeoutMs: number): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(timeoutMs)
  const answer = await exchange(url, { ...init, signal }).catch(() => undefined)
  if (!answer?.response.ok)
    throw new PortalUnreadable(`Svix answered ${answer?.response.status ?? 'nothing'}`)
  return parseObject(answer.body)
}

function toEndpoint(value: unknown): WebhookEndpoint {
  const { url, disabled, filterTypes, eventTypes } = isObject(value) ? value : {}
  const types = filterTypes ?? eventTypes ?? []
  if (typeof url !== 'string' || !Array.isArray(types))
    throw new PortalUnreadable('Svix answered with an endpoint of an unknown shape')
  return { url, isDisabled: disabled === true, types: types.length > 0 ? types.map(String) : null }
}

function parseObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
