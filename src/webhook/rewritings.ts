/** The bodies that this one may have been before a proxy or parser rewrote it. */

import type { MismatchCauseCode } from '../explanations/mismatch-causes.ts'

export interface Rewriting {
  readonly code: MismatchCauseCode
  /** Describes the original body. */
  readonly detail?: string
  readonly body: Uint8Array
}

const MARK = '\uFEFF'

/** Every body that this one may have been. */
export function rewritingsOf(body: Uint8Array): Rewriting[] {
  const text = Buffer.from(body).toString()
  return [...encodings(text), ...base64(text), ...blanks(text), ...jsonRewritings(text)]
    .filter((each) => each.text !== text)
    .map(({ text: original, ...rest }) => ({ ...rest, body: toBytes(original) }))
}

interface Draft {
  readonly code: MismatchCauseCode
  readonly detail?: string
  readonly text: string | Uint8Array
}

function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text) : text
}

function blanks(text: string): Draft[] {
  const texts = [
    text.replace(/\r?\n$/, ''),
    `${text}\n`,
    text.trim(),
    text.replaceAll('\r\n', '\n'),
    text.replace(/\r?\n/g, '\r\n'),
  ]
  return texts.map((each) => ({ code: 'body_blanks_changed', text: each }))
}

function encodings(text: string): Draft[] {
  return [
    { code: 'body_mark_changed', text: text.startsWith(MARK) ? text.slice(1) : MARK + text },
    { code: 'body_recoded', text: Buffer.from(text, 'latin1') },
  ]
}

/** What API Gateway makes of a body that it takes for binary. A JSON body is never base64 as it is. */
function base64(text: string): Draft[] {
  if (!/^[A-Za-z0-9+/_-]+={0,2}\s*$/.test(text)) return []
  return [{ code: 'body_base64', text: Buffer.from(text, 'base64') }]
}

function jsonRewritings(text: string): Draft[] {
  try {
    const value: unknown = JSON.parse(text)
    return [...unpacked(value), ...spellings(value)]
  } catch {
    // No JSON, or nested too deep to be written.
    return []
  }
}

/** `"{\"type\":…}"`, and what JSON.stringify makes of a Buffer. */
function unpacked(value: unknown): Draft[] {
  const code = 'body_encoded_twice'
  if (typeof value === 'string') return [{ code, text: value }]
  const { type, data } = Object(value)
  return type === 'Buffer' && Array.isArray(data) ? [{ code, text: Uint8Array.from(data) }] : []
}

/** The ways in which languages write the same JSON. */
function spellings(value: unknown): Draft[] {
  const compact = JSON.stringify(value)
  const spaced = spreadOut(value)
  const texts: Readonly<Record<string, string>> = {
    'compact JSON': compact,
    'compact JSON, with \\u escapes': escapeUnicode(compact),
    'compact JSON, with \\/ for /': compact.replaceAll('/', '\\/'),
    'JSON with a space after each comma and colon': spaced,
    'JSON with a space after each comma and colon, and \\u escapes': escapeUnicode(spaced),
    'JSON indented by 2 spaces': JSON.stringify(value, null, 2),
    'JSON indented by 4 spaces': JSON.stringify(value, null, 4),
    'JSON indented by tabs': JSON.stringify(value, null, '\t'),
  }
  return Object.entries(texts).map(([detail, text]) => ({ code: 'body_reserialised', detail, text }))
}

/** `{"a": 1, "b": [2, 3]}`. In JSON a line break is never inside a string. */
function spreadOut(value: unknown): string {
  return JSON.stringify(value, null, 1)
    .replace(/([{[])\n */g, '$1')
    .replace(/\n *([}\]])/g, '$1')
    .replace(/,\n */g, ', ')
}

function escapeUnicode(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
