/**
 * Numbers that JavaScript would round: integers beyond 2^53, as users may have in their metadata, and long decimals. Postgres
 * holds them exactly. Events almost never have one, so that nothing here costs more than a look at their bytes.
 */

import type { Payload } from './payloads.ts'

/** What `JSON.stringify` writes as it is. Node has it since 21; the types do not know it yet. */
interface RawJson {
  rawJSON?(text: string): object
  isRawJSON?(value: unknown): boolean
}

const { rawJSON, isRawJSON } = JSON as RawJson

/** A number of fewer digits and points JavaScript always keeps. */
const LONG = 16
/** Without an exponent: `1e99999` is a short text, and more than Postgres holds. */
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/
const MAX_DIGITS = 1_000

/**
 * Whether a JSON text may hold numbers that parsing rounds. Looks at every sixteenth byte, which a long number cannot avoid: a tenth of
 * the time of a regular expression, for every row that is written.
 */
export function mayBeRounded(json: Uint8Array): boolean {
  if (rawJSON === undefined) return false
  for (let at = LONG - 1; at < json.length; at += LONG) {
    if (!isDigitOrPoint(json[at])) continue
    let start = at
    while (isDigitOrPoint(json[start - 1])) start--
    while (isDigitOrPoint(json[at + 1])) at++
    if (at - start >= LONG - 1 && mayPrecedeNumber(json[start - 1])) return true
  }
  return false
}

function isDigitOrPoint(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 48 && byte <= 57) || byte === 46)
}

/** Behind a quote or a letter it is part of somebody's id. */
function mayPrecedeNumber(byte: number | undefined): boolean {
  return byte === undefined || BEFORE_NUMBER.has(byte)
}

const BEFORE_NUMBER = new Set(Buffer.from(':,[- \t\r\n'))

type Reviver = (key: string, value: unknown) => unknown

/** The value of a JSON text, for `JSON.stringify` to write its numbers with the digits that they have in it. */
export function parseExact(json: string | Uint8Array): unknown {
  const bytes = typeof json === 'string' ? Buffer.from(json) : json
  const text = typeof json === 'string' ? json : textOf(json)
  return mayBeRounded(bytes) ? JSON.parse(text, keepDigits as Reviver) : JSON.parse(text)
}

/** As {@link parseExact}, of a resource. */
export function exactPayload(json: string | Uint8Array): Payload {
  return parseExact(json) as Payload
}

/** The value of a JSON text with the digits of its numbers: `parsed` itself where parsing cannot have lost any. */
export function unrounded<Value>(bytes: Uint8Array, parsed: Value): Value {
  return mayBeRounded(bytes) ? (parseExact(bytes) as Value) : parsed
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
  if (typeof value !== 'number' || source.length < LONG || source.length > MAX_DIGITS) return value
  if (String(value) === source) return value
  return PLAIN_NUMBER.test(source) && Number(source) === value && rawJSON ? rawJSON(source) : value
}
