/**
 * JSON strings can hold two things that Postgres' `text` and `jsonb` refuse: U+0000 and lone surrogates. End users
 * can put both into their names and metadata. In those columns they become U+FFFD; `raw` keeps what Clerk sent.
 */

import { isExactNumber } from './exact-json.ts'
import type { Payload } from './payloads.ts'

export function toStorableText(text: string): string {
  return isStorableText(text) ? text : text.toWellFormed().replaceAll('\u0000', '\ufffd')
}

/** The same value if Postgres can hold it, else a copy that it can hold. Expects bounded depth. */
export function toStorableJson(value: unknown): unknown {
  return isStorable(value) ? value : copy(value)
}

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000')
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isStorable)
  for (const key in value) {
    if (!isStorableText(key) || !isStorable((value as Payload)[key])) return false
  }
  return true
}

function copy(value: unknown): unknown {
  if (typeof value === 'string') return toStorableText(value)
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value
  if (Array.isArray(value)) return value.map(copy)
  // fromEntries defines own properties, so a key such as "__proto__" stays data.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [toStorableText(key), copy(member)]))
}
