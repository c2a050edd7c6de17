/** The headers of a delivery: which message, when, and signed how. */

import { ClerkSyncError } from '../errors.ts'

/** Headers as `fetch`, Node or a framework gives them. Names are compared without case. */
export type RequestHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** What the headers claim. Nothing of it is trusted before the signature is checked. */
export interface Message {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly signature: string
  /** Of the body, as declared. */
  readonly contentLength: number | undefined
}

/**
 * Svix names its headers `svix-*`, the Standard Webhooks spec `webhook-*`. They are never mixed: the id that is
 * verified must be the id that duplicates are recognised by.
 */
const FAMILIES = ['svix', 'webhook'] as const
const PARTS = ['id', 'timestamp', 'signature'] as const
const NAMES = new Set([
  ...FAMILIES.flatMap((family) => PARTS.map((part) => `${family}-${part}`)),
  'content-encoding',
  'content-length',
])
const NAME_LENGTHS = new Set([...NAMES].map((name) => name.length))

/** Without a dot: the signed text is `id.timestamp.body`, and a dot in the id would let it be split elsewhere. */
const ID = /^[A-Za-z0-9_-]{1,128}$/
/** Strict: parseInt would accept unsigned text after the number. */
const TIMESTAMP = /^(0|[1-9]\d{0,14})$/

/**
 * Reads the headers of a delivery. Cheap, so that it can happen before the body is read.
 * @throws {ClerkSyncError} `headers_missing`, `id_malformed`, `timestamp_malformed` or `body_encoded`
 */
export function readMessage(headers: RequestHeaders): Message {
  const values = pick(headers)
  const family = FAMILIES.find((name) => PARTS.some((part) => values.has(`${name}-${part}`))) ?? 'svix'
  const missing = PARTS.map((part) => `${family}-${part}`).filter((name) => !values.get(name))
  if (missing.length > 0) throw new ClerkSyncError('headers_missing', missing.join(', '))

  const id = values.get(`${family}-id`) as string
  const timestamp = values.get(`${family}-timestamp`) as string
  if (!ID.test(id)) throw new ClerkSyncError('id_malformed')
  if (!TIMESTAMP.test(timestamp)) throw new ClerkSyncError('timestamp_malformed')
  if (isEncoded(values.get('content-encoding'))) throw new ClerkSyncError('body_encoded')
  return {
    id,
    timestamp: Number(timestamp),
    signature: values.get(`${family}-signature`) as string,
    contentLength: toLength(values.get('content-length')),
  }
}

/**
 * The messages that the headers would be if both families counted; none if there is only one. For finding out that
 * something mixed them, never for verification.
 */
export function readMixedMessages(
  headers: RequestHeaders,
): Pick<Message, 'id' | 'timestamp' | 'signature'>[] {
  const values = pick(headers)
  const [ids = [], timestamps = [], signatures = []] = PARTS.map((part) =>
    FAMILIES.flatMap((family) => values.get(`${family}-${part}`) ?? []),
  )
  if (ids.length + timestamps.length + signatures.length <= PARTS.length) return []
  return ids.flatMap((id) =>
    timestamps.flatMap((timestamp) =>
      signatures.map((signature) => ({ id, timestamp: Number(timestamp), signature })),
    ),
  )
}

/** One header, by its lower-case name; undefined also for headers that are none, which JavaScript can hand over. */
export function readHeader(headers: RequestHeaders, name: string): string | undefined {
  if (!headers) return undefined
  if (isHeaders(headers)) return headers.get(name) ?? undefined
  const found = Object.keys(headers).find((each) => each.toLowerCase() === name)
  return found === undefined ? undefined : headers[found]?.toString()
}

/** The headers that matter, by lower-case name; repeated ones joined as HTTP does. */
function pick(headers: RequestHeaders): Map<string, string> {
  const values = new Map<string, string>()
  if (isHeaders(headers)) {
    for (const name of NAMES) addTo(values, name, headers.get(name) ?? undefined)
    return values
  }
  for (const name in headers) {
    // Looking at the length first spares most headers the lower-casing.
    if (!NAME_LENGTHS.has(name.length)) continue
    const lowerCaseName = name.toLowerCase()
    if (NAMES.has(lowerCaseName)) addTo(values, lowerCaseName, headers[name])
  }
  return values
}

/** By shape, not by class: undici, polyfills and test environments bring `Headers` of their own. */
function isHeaders(headers: RequestHeaders): headers is Headers {
  return typeof headers.get === 'function'
}

function addTo(
  values: Map<string, string>,
  name: string,
  value: string | readonly string[] | undefined,
): void {
  if (value === undefined) return
  const trimmed = (typeof value === 'string' ? value : value.join(', ')).replace(/^[ \t]+|[ \t]+$/g, '')
  const earlier = values.get(name)
  values.set(name, earlier === undefined ? trimmed : `${earlier}, ${trimmed}`)
}

function isEncoded(contentEncoding: string | undefined): boolean {
  return (
    contentEncoding !== undefined && contentEncoding !== '' && contentEncoding.toLowerCase() !== 'identity'
  )
}

function toLength(contentLength: string | undefined): number | undefined {
  const length = Number(contentLength || undefined)
  return Number.isNaN(length) ? undefined : length
}
