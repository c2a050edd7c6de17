/** The verification vectors of `test/fixtures/vectors.json`: what was sent, and what must come of it. */

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ErrorCode, ParkReason } from '../../src/index.ts'

type Header = readonly [name: string, value: string]

/** A request. */
export interface Sent {
  /** The receiver's clock, in seconds. */
  readonly now: number
  /** `direct` ones hold headers that no HTTP parser would let through: only a function can be given them. */
  readonly route?: 'wire' | 'direct'
  readonly headers: readonly Header[]
  readonly body_b64?: string
  readonly body_gen?: { readonly pad: number }
  readonly body_sha256?: string
}

export interface Vector extends Sent {
  readonly id: string
  readonly title: string
  readonly secrets: readonly string[]
  readonly expect: {
    readonly verify: 'ok' | 'err' | 'config_error'
    readonly code: string
    readonly http: number
    readonly disposition: 'process' | 'park' | 'drop' | 'refuse-to-start'
  }
}

export interface Step extends Sent {
  readonly fault?: 'db-down'
  readonly expect: {
    readonly http: number
    readonly disposition: 'process' | 'process-or-stale' | 'duplicate' | 'drop' | 'retry-later'
  }
}

export interface Sequence {
  readonly id: string
  readonly title: string
  readonly steps: readonly Step[]
}

const file = new URL('../fixtures/vectors.json', import.meta.url)

export const { vectors, sequences } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly vectors: readonly Vector[]
  readonly sequences: readonly Sequence[]
}

/** The vectors' vocabulary in ours. */
export const REFUSALS: Readonly<Record<string, ErrorCode>> = {
  MISSING_HEADER: 'headers_missing',
  BAD_ID: 'id_malformed',
  BAD_TIMESTAMP: 'timestamp_malformed',
  TIMESTAMP_TOO_OLD: 'timestamp_too_old',
  TIMESTAMP_TOO_NEW: 'timestamp_too_new',
  NO_MATCHING_SIGNATURE: 'signature_mismatch',
  EMPTY_BODY: 'body_empty',
  BAD_ENCODING: 'body_not_utf8',
  BODY_TOO_LARGE: 'body_too_large',
  UNSUPPORTED_ENCODING: 'body_encoded',
  SECRET_EMPTY: 'secret_empty',
  SECRET_BAD_BASE64: 'secret_bad_base64',
  SECRET_BAD_PREFIX: 'secret_bad_prefix',
  SECRET_TOO_SHORT: 'secret_too_short',
  SECRET_LOW_ENTROPY: 'secret_low_entropy',
  SECRET_IS_API_KEY: 'secret_is_api_key',
}

export const PARK_REASONS: Readonly<Record<string, ParkReason>> = {
  BAD_JSON: 'bad_json',
  TOO_DEEP: 'too_deep',
  UNRECOGNISED_EVENT: 'unrecognised_event',
  UNKNOWN_TYPE: 'unknown_type',
}

/** The exact bytes of a body; long ones are made by rule and checked by their hash. */
export function bodyOf({ now, body_b64, body_gen, body_sha256 }: Sent): Buffer {
  if (body_gen === undefined) return Buffer.from(body_b64 as string, 'base64')
  const body = paddedEvent(now, body_gen.pad)
  if (hash('sha256', body) !== body_sha256) throw new Error('The body was not made by its rule.')
  return body
}

/** An event of exactly that many bytes. */
function paddedEvent(now: number, size: number): Buffer {
  const withPad = (pad: string) =>
    JSON.stringify({
      data: { id: 'user_1', object: 'user', unsafe_metadata: { pad } },
      object: 'event',
      type: 'user.created',
      timestamp: now * 1000,
      instance_id: 'ins_123',
    })
  return Buffer.from(withPad('x'.repeat(size - withPad('').length)))
}

/** The headers as Node hands them over: lower-case, repeated ones joined. Direct ones stay as they are. */
export function headersOf({ route, headers }: Sent): Record<string, string> {
  if (route === 'direct') return Object.fromEntries(headers)
  const joined = new Map<string, string>()
  for (const [name, value] of headers) {
    const earlier = joined.get(name.toLowerCase())
    const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '')
    joined.set(name.toLowerCase(), earlier === undefined ? trimmed : `${earlier}, ${trimmed}`)
  }
  return Object.fromEntries(joined)
}
