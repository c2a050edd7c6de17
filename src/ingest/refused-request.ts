/**
 * The part of a refused request that may be stored: enough to identify the sender and the request, nothing secret, no
 * personal data.
 */

import { maskText, PERSONAL } from '../clerk/personal-data.ts'
import type { RefusedRequestColumn } from '../database/tables.ts'
import type { ClerkSyncError } from '../errors.ts'

/** What came in. */
export interface Incoming {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  readonly remoteAddress?: string | undefined
  /** As far as it was read. */
  readonly body?: Uint8Array | undefined
}

export type RefusedRequest = RefusedRequestColumn

/** Whatever else a proxy adds may be a credential. */
const SHOWN_HEADERS =
  /^(accept|accept-encoding|cf-ray|connection|content-(encoding|length|type)|date|forwarded|host|svix-(id|timestamp)|transfer-encoding|user-agent|via|webhook-(id|timestamp)|x-forwarded-(for|host|port|proto)|x-real-ip|x-request-id)$/
const HIDDEN = '•••'
const MAX_HEADERS = 40
const MAX_VALUE_LENGTH = 200
const BODY_LENGTH = 500
/** Beyond what is shown, so that a name or an address at its end is recognised. */
const READ_BYTES = 4 * BODY_LENGTH

export function describeRequest({ mismatchCause }: ClerkSyncError, request: Incoming): RefusedRequest {
  const headers = headersOf(request.headers)
  const declared = Number(headers['content-length'])
  return {
    headers,
    bytes: request.body?.byteLength ?? (Number.isSafeInteger(declared) ? declared : null),
    source: request.remoteAddress ?? null,
    body: request.body ? beginningOf(request.body) : null,
    mismatchCause: mismatchCause ?? null,
  }
}

/** Untyped callers may pass anything: describing a refusal must not fail. */
function headersOf(headers: Incoming['headers'] | null): Record<string, string> {
  const pairs = headers instanceof Headers ? [...headers] : Object.entries(headers ?? {})
  return Object.fromEntries(
    pairs.slice(0, MAX_HEADERS).map(([name, value]) => {
      const key = name.toLowerCase()
      const text = SHOWN_HEADERS.test(key) ? [value].flat().filter(isText).join(', ') : HIDDEN
      return [clean(key, MAX_VALUE_LENGTH), clean(text, MAX_VALUE_LENGTH)]
    }),
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

const STRING_FIELD = /"([\w-]{1,64})"\s*:\s*"((?:[^"\\]|\\.)*)"?/g

/** Nobody knows what a team keeps there, nor where it ends in a text that is cut. */
const METADATA_TO_END = /"(\w*_metadata)"\s*:\s*\{(?!\s*\})[\s\S]*$/i

/** By patterns: a beginning is no JSON, and neither is what a forger sends. */
function beginningOf(body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, READ_BYTES))
  const masked = text.replace(STRING_FIELD, (field, name: string, value: string) =>
    PERSONAL.test(name) && value !== '' ? `"${name}":"${HIDDEN}"` : field,
  )
  return clean(maskText(masked.replace(METADATA_TO_END, '"$1":•••')), BODY_LENGTH)
}

/** Postgres takes no zero bytes and no half of an emoji. */
function clean(text: string, length: number): string {
  return text.replaceAll('\u0000', '').slice(0, length).toWellFormed()
}
