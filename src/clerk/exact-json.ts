/**
 * Numbers that JavaScript would round: integers beyond 2^53, as users may have in their metadata, and long decimals. Postgres
 * holds them exactly. Events almost never have one, so that nothing here costs more than a look at the text of a column.
 */

/** What `JSON.stringify` writes as it is. Node has it since 21; the types do not know it yet. */
interface RawJson {
  rawJSON?(text: string): object
  isRawJSON?(value: unknown): boolean
}

const { rawJSON, isRawJSON } = JSON as RawJson

/** A number that was reserialized may have been rounded if it has this many digits, or an exponent. */
const MAYBE_ROUNDED = /\d{16}|\d\.\d{15}|\de[+-]?\d/
/** Without an exponent: `1e99999` is a short text, and more than Postgres holds. */
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/
const MAX_DIGITS = 1_000

/** Whether a text that `JSON.stringify` wrote may have lost digits. */
export function mayBeRounded(json: string): boolean {
  return rawJSON !== undefined && MAYBE_ROUNDED.test(json)
}

/** The value of a JSON text, for `JSON.stringify` to write its numbers with the digits that they have in it. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
}

export function isExactNumber(value: unknown): boolean {
  return isRawJSON?.(value) === true
}

function keepDigits(_: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || source.length > MAX_DIGITS || String(value) === source) return value
  return PLAIN_NUMBER.test(source) && Number(source) === value && rawJSON ? rawJSON(source) : value
}
