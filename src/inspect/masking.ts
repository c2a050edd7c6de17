/**
 * Hides personal data until it is revealed: enough stays to distinguish values, not enough to identify the user it is.
 * Works on any JSON, because payloads hold what the team and its users put there.
 */

import { isExactNumber } from '../clerk/exact-json.ts'
import { METADATA, maskText, PERSONAL } from '../clerk/personal-data.ts'

export { maskText }

const HIDDEN = '•••'

/** Payloads are checked for their depth when they are received; this is for what was parked because of it. */
const MAX_DEPTH = 200

/** Hides all of a value but its first letter, and the domain of an e-mail address. */
export function maskValue(text: string): string {
  const masked = maskText(text)
  if (masked !== text || text === '') return masked
  return `${[...text][0]}${HIDDEN}`
}

/** A copy without personal data. `key` is the name of the field that holds the value. */
export function maskJson(value: unknown, key = '', depth = 0): unknown {
  if (depth > MAX_DEPTH) return HIDDEN
  if (typeof value === 'string') return PERSONAL.test(key) ? maskValue(value) : maskText(value)
  if (Array.isArray(value)) return value.map((member) => maskJson(member, key, depth + 1))
  if (typeof value !== 'object' || value === null || value instanceof Date || isExactNumber(value))
    return value
  const hides = METADATA.test(key)
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      hides ? hideAll(member, depth + 1) : maskJson(member, name, depth + 1),
    ]),
  )
}

/** Keeps the shape and nothing else. */
function hideAll(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return HIDDEN
  if (value === null || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map((member) => hideAll(member, depth + 1))
  if (typeof value !== 'object' || isExactNumber(value)) return HIDDEN
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hideAll(member, depth + 1)]))
}
