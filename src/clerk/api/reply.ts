/**
 * Reads what the Backend API answered. Whatever is not wholly what was asked for is an error, never an empty list: an
 * error page or half a page taken for "nothing there" would delete everything.
 */

import type { Query } from '../api-description.ts'
import { isObject, MAX_JSON_DEPTH } from '../event.ts'
import { scanElements, scanJson } from '../json-scan.ts'
import type { Payload } from '../payloads.ts'

/** A resource as the Backend API shows it. */
export interface Item {
  readonly id: string
  readonly data: Payload
  /** The JSON text of `data`. */
  readonly raw: Uint8Array
}

export interface Page {
  readonly items: readonly Item[]
  /** The total, if the list reports it. */
  readonly total: number | null
}

/** The answer cannot be used: it is cut off, or not the API's. */
export class UnusableReply extends Error {}

/**
 * A list: bare, or as `{ data, total_count }`.
 * @param adds what its items do not tell
 */
export function readPage(body: Uint8Array, adds: Query = {}): Page {
  const value = parse(body)
  if (Array.isArray(value)) return { items: toItems(value, body, adds), total: null }
  const { total_count: total, ...lists } = isObject(value) ? value : {}
  const name = LIST_NAMES.find((each) => Array.isArray(lists[each]))
  if (name === undefined || typeof total !== 'number') throw new UnusableReply('it is not a list')
  const list = scanJson(body, name, MAX_DEPTH).member as Uint8Array
  return { items: toItems(lists[name] as unknown[], list, adds), total }
}

/** Tokens of machines are the one list with a name of its own. */
const LIST_NAMES = ['data', 'm2m_tokens'] as const

/** One resource. */
export function readItem(body: Uint8Array, adds: Query = {}): Item {
  return toItem(parse(body), body, adds)
}

/** `{ total_count }` */
export function readCount(body: Uint8Array): number {
  const value = parse(body)
  if (isObject(value) && typeof value.total_count === 'number') return value.total_count
  throw new UnusableReply('it is not a count')
}

/** A resource may nest as deep as in an event; a list is two levels more. */
const MAX_DEPTH = MAX_JSON_DEPTH + 2

function parse(body: Uint8Array): unknown {
  if (scanJson(body, 'data', MAX_DEPTH).tooDeep) throw new UnusableReply('its JSON nests too deep')
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString())
  } catch {
    throw new UnusableReply('it is not JSON, or was cut off')
  }
}

function toItems(values: readonly unknown[], list: Uint8Array, adds: Query): Item[] {
  const texts = scanElements(list)
  return values.map((value, index) => toItem(value, texts[index] as Uint8Array, adds))
}

function toItem(shown: unknown, text: Uint8Array, adds: Query): Item {
  const { data, raw } = isObject(shown) ? withAdded(shown, text, adds) : { data: shown, raw: text }
  if (!isObject(data) || typeof data.id !== 'string' || data.id === '') {
    throw new UnusableReply('it holds something without an id')
  }
  return { id: data.id, data, raw }
}

/** What Clerk wrote stays as it is written, behind what is added. */
function withAdded(shown: Payload, text: Uint8Array, adds: Query): { data: Payload; raw: Uint8Array } {
  const missing = Object.entries(adds).filter(([name]) => shown[name] === undefined)
  if (missing.length === 0) return { data: shown, raw: text }
  const data = { ...Object.fromEntries(missing), ...shown }
  const added = missing.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  const rest = Buffer.from(text.subarray(text.indexOf(OPENING_BRACE) + 1))
  const separator = Object.keys(shown).length > 0 ? ',' : ''
  return { data, raw: Buffer.concat([Buffer.from(`{${added}${separator}`), rest]) }
}

const OPENING_BRACE = 0x7b
