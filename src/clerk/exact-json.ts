/**
 * Numbers that JavaScript would round: integers beyond 2^53, as users may have in their metadata, and long decimals. Postgres
 * holds them exactly. Events almost never have one, so that nothing here costs more than a look at the text of a column.
 */

import type { Payload } from './payloads.ts'

/** What `JSON.stringify` writes as it is. Node has it since 21; the types do not know it yet. */
interface RawJson {
  rawJSON?(text: string): object
  isRawJSON?(value: unknown): boolean
}

const { rawJSON, isRawJSON } = JSON as RawJson

/**
 * So many digits are more than a JavaScript number keeps for sure. What stands before them is looked at last, since few texts
 * have them at all: half a microsecond for 2.6 KB instead of five. In quotes they are somebody's id.
 */
const MAYBE_ROUNDED = /\d[\d.]{15}(?<![^:,[\s-].{16})/
/** Without an exponent: `1e99999` is a short text, and more than Postgres holds. */
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/
const MAX_DIGITS = 1_000
/** So many digits a JavaScript number always keeps. */
const KEPT_DIGITS = 15

/** Whether a JSON text may hold numbers that parsing rounds. */
export function mayBeRounded(json: string): boolean {
  return rawJSON !== undefined && MAYBE_ROUNDED.test(json)
}

/** The value of a JSON text, for `JSON.stringify` to write its numbers with the digits that they have in it. */
export function parseExact(json: string | Uint8Array): unknown {
  const text = typeof json === 'string' ? json : textOf(json)
  if (!mayBeRounded(text)) return JSON.parse(text)
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
}

/** As {@link parseExact}, of a resource. */
export function exactPayload(json: string | Uint8Array): Payload {
  return parseExact(json) as Payload
}

/** The value of a JSON text with the digits of its numbers: `parsed` itself where parsing cannot have lost any. */
export function unrounded<Value>(bytes: Uint8Array, parsed: Value): Value {
  const text = textOf(bytes)
  return mayBeRounded(text) ? (parseExact(text) as Value) : parsed
}

/** The text of what a change makes of a JSON text, whose numbers keep their digits. @param parsed the value of the text */
export function rewriteJson<Value>(
  bytes: Uint8Array,
  parsed: Value,
  change: (value: Value) => unknown,
): Buffer {
  return Buffer.from(JSON.stringify(change(unrounded(bytes, parsed))))
}

/** The text of UTF-8 bytes, which are not copied for it. */
export function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString()
}

export function isExactNumber(value: unknown): boolean {
  return isRawJSON?.(value) === true
}

function keepDigits(_: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || source.length <= KEPT_DIGITS || source.length > MAX_DIGITS) return value
  if (String(value) === source) return value
  return PLAIN_NUMBER.test(source) && Number(source) === value && rawJSON ? rawJSON(source) : value
}
