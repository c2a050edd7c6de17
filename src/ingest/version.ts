/**
 * Which state is newer.
 *
 * Clerk's `updated_at` decides; at the same millisecond the time at which the state was shown, and then a hash of its JSON
 * text: any rule would do there, as long as every order of arrival ends in the same row. A row that was anonymised keeps the hash.
 */

import { hash } from 'node:crypto'

export interface Version {
  readonly updatedAt: Date | null
  readonly observedAt: Date
  readonly raw: Uint8Array
}

/** Begins the `raw` of a row that was anonymised: a JSON string, `"sha256:…"`. */
const HASHED = '"sha256:'

/** Negative if `a` is older than `b`, 0 if they are the same state. */
export function compareVersions(a: Version, b: Version): number {
  return (
    (a.updatedAt ?? a.observedAt).getTime() - (b.updatedAt ?? b.observedAt).getTime() ||
    a.observedAt.getTime() - b.observedAt.getTime() ||
    compareTexts(a.raw, b.raw)
  )
}

function compareTexts(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return 0
  const [left, right] = [hashOf(a), hashOf(b)]
  return left === right ? 0 : left < right ? -1 : 1
}

function hashOf(raw: Uint8Array): string {
  return isHashed(raw) ? Buffer.from(raw).toString() : `${HASHED}${hash('sha256', raw)}"`
}

/** Nothing is left of the state but what orders it. */
export function isHashed(raw: Uint8Array): boolean {
  return Buffer.from(raw.subarray(0, HASHED.length)).toString() === HASHED
}

/** The same in SQL, as an expression of the column `raw`. */
export function hashedRaw(raw: string): string {
  return `case when left(${raw}::text, ${HASHED.length}) = '${HASHED}' then ${raw}
    else to_json('sha256:' || encode(sha256(convert_to(${raw}::text, 'UTF8')), 'hex')) end`
}
