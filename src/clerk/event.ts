/**
 * The nouns that travel through clerk-sync: Clerk's event, and the delivery that brought it.
 *
 * A delivery exists only once its signature is verified. Its content may still be unusable; then it has no
 * event and says why, because a signed message is never thrown away.
 */

import { isExactNumber } from './exact-json.ts'
import { scanJson } from './json-scan.ts'
import type { EventPayloads, EventType, Payload } from './payloads.ts'
import { toStorableText } from './storable.ts'

/**
 * The nesting that JSON may have. Clerk's deepest payloads have about ten levels, and metadata is limited to
 * 8 KB by Clerk; PGlite breaks silently at 6,000.
 */
export const MAX_JSON_DEPTH = 200

/** Ids and types are index keys, and Postgres refuses index entries over 2,704 bytes. Clerk's have about 32. */
const MAX_NAME_LENGTH = 255

/**
 * An event as Clerk sends it. `type` tells what happened; `data.object` is not reliable.
 *
 * There is no id in here: the stable id of a message is the svix-id header, {@link Delivery.svixId}.
 */
export interface ClerkEvent<Type extends string = string> {
  type: Type
  object?: string
  data: Type extends EventType ? EventPayloads[Type] : Payload & { id: string }
  /** When it happened. Milliseconds, but Clerk's OpenAPI shows seconds: read it through {@link toDate}. */
  timestamp?: number
  /** The Clerk instance, `ins_…`. Absent from messages older than February 2025. */
  instance_id?: string
  event_attributes?: { http_request?: { client_ip?: string; user_agent?: string } }
}

/** Why a signed message could not be applied as it is. It is stored, answered 2xx and can be replayed. */
export type ParkReason =
  /** The body is not JSON. */
  | 'bad_json'
  /** The JSON nests deeper than {@link MAX_JSON_DEPTH}. */
  | 'too_deep'
  /** JSON, but not an event: no type, no data, or no id in it. */
  | 'unrecognised_event'
  /** An event of a type that this version does not know. */
  | 'unknown_type'
  /** An event of another Clerk instance than the configured one. */
  | 'instance_mismatch'

/** What a body turned out to be. */
export type Content =
  | { readonly event: ClerkEvent /** The bytes of `event.data`. */; readonly rawData: Uint8Array }
  | { readonly event: null; readonly unusable: 'bad_json' | 'too_deep' | 'unrecognised_event' }

/** A verified message from Svix. */
export type Delivery = Content & {
  /** The id of the message: the same for every retry and manual resend, so it is what makes an event one event. */
  readonly svixId: string
  /** When Svix made this attempt; changes with every retry, so never order by it. */
  readonly attemptedAt: Date
  /** The exact bytes that were signed. */
  readonly rawBody: Uint8Array
}

/** Reads a verified body. Never throws: what cannot be used is parked, with the reason. */
export function readContent(rawBody: Uint8Array): Content {
  const body = Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength)
  return readUsual(body) ?? readAny(body)
}

const USUAL_START = Buffer.from('{"data":')
const USUAL_END = Buffer.from(',"event_attributes":')
const CLOSE_BRACE = 0x7d
const COMMA = 0x2c

/**
 * A body as Clerk writes it: `data` first, then what has no braces but `event_attributes`. Where both parts are JSON by
 * themselves, the whole is, and `data` is known without a look at every byte.
 */
function readUsual(body: Buffer): Content | undefined {
  if (!body.subarray(0, USUAL_START.length).equals(USUAL_START)) return undefined
  const end = endOfData(body)
  if (body[end] !== COMMA) return undefined
  const rawData = body.subarray(USUAL_START.length, end)
  const data = rawData.toString()
  const rest = `{${body.toString('utf8', end + 1)}`
  if (mayBeTooDeep(data) || mayBeTooDeep(rest)) return undefined
  const envelope = parseJson(rest)
  if (!isObject(envelope) || Object.hasOwn(envelope, 'data')) return undefined
  const parsed = parseJson(data)
  if (parsed === undefined) return undefined
  const event = { data: parsed, ...envelope }
  return isEvent(event) ? { event, rawData } : undefined
}

/** Where it seems to end: a guess, which only holds if both parts are JSON. */
function endOfData(body: Buffer): number {
  const attributes = body.lastIndexOf(USUAL_END)
  return attributes === -1 ? body.lastIndexOf(CLOSE_BRACE, -2) + 1 : attributes
}

/** Whether the text has enough opening brackets to exceed the nesting limit. */
function mayBeTooDeep(text: string): boolean {
  let opening = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++opening > MAX_JSON_DEPTH) return true
    }
  }
  return false
}

function readAny(rawBody: Buffer): Content {
  const scan = scanJson(rawBody, 'data', MAX_JSON_DEPTH)
  if (scan.tooDeep) return { event: null, unusable: 'too_deep' }
  // toString keeps a byte order mark, so that a body with one is not JSON, as for the sender.
  const envelope = parseJson(rawBody.toString())
  if (envelope === undefined) return { event: null, unusable: 'bad_json' }
  if (!isEvent(envelope) || scan.member === undefined) return { event: null, unusable: 'unrecognised_event' }
  return { event: envelope, rawData: scan.member }
}

/** `undefined` means: not JSON. (No JSON text parses to `undefined`.) */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isEvent(value: unknown): value is ClerkEvent {
  return (
    isObject(value) &&
    isName(own(value, 'type')) &&
    isObject(own(value, 'data')) &&
    isName(own(value.data as object, 'id'))
  )
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH
}

/** Payloads may hold keys such as `__proto__`: only own properties count. */
function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Payload)[key] : undefined
}

export function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
}

const YEAR_1973_IN_MILLISECONDS = 1e11
const YEAR_9999_IN_MILLISECONDS = 253_402_300_799_999

/** A time of Clerk's. Small numbers are seconds: no Clerk instance has events from 1973. */
export function toDate(time: unknown): Date | null {
  if (typeof time !== 'number' || !Number.isFinite(time) || time <= 0) return null
  const milliseconds = Math.trunc(time < YEAR_1973_IN_MILLISECONDS ? time * 1000 : time)
  return milliseconds <= YEAR_9999_IN_MILLISECONDS ? new Date(milliseconds) : null
}

/** When the event happened, by Clerk's clock. Orders events; the time of an attempt only stands in for a missing one. */
export function occurredAt(event: ClerkEvent, attemptedAt: Date): Date {
  return toDate(event.timestamp) ?? attemptedAt
}

/** The Clerk instance that an event came from, if it says so. */
export function instanceIdOf({ instance_id }: ClerkEvent): string | null {
  return typeof instance_id === 'string' ? toStorableText(instance_id) : null
}
