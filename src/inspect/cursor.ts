/** Where a page of a list starts: after the last row of the page before it, whatever came meanwhile. */

import { type RawBuilder, sql } from 'kysely'
import type { Condition } from '../database/filter.ts'
import { ClerkSyncError } from '../errors.ts'
import { isId } from '../validate.ts'
import type { PageOf } from './model.ts'

/** What a list is ordered by. Times are text, because a JavaScript date has no microseconds. */
export type Position = readonly string[]

export interface PageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** What the columns that a list is ordered by hold. */
type Part = 'time' | 'id'

const CHECKS: Readonly<Record<Part, (value: unknown) => boolean>> = { time: isStoredTime, id: isId }

/** @throws {ClerkSyncError} `request_invalid` for what is no cursor */
export function readCursor(cursor: string | undefined, parts: readonly Part[]): Position | undefined {
  if (cursor === undefined) return undefined
  const position = parse(cursor)
  const isPosition =
    Array.isArray(position) &&
    position.length === parts.length &&
    parts.every((part, index) => CHECKS[part](position[index]))
  if (!isPosition) throw new ClerkSyncError('request_invalid', 'cursor is none that a list gave')
  return position
}

/** A time as Postgres writes it, for example `2026-11-27 10:51:31.123456+00`. */
function isStoredTime(value: unknown): boolean {
  const [, day, time] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,6})?[+-]\d\d(?::[0-5]\d){0,2}$/.exec(String(value)) ?? []
  if (typeof value !== 'string' || day === undefined || day < '0001') return false
  const date = new Date(`${day}T${time}Z`)
  // The 31st of February would be read as the 3rd of March here, and refused by Postgres.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** The rows that come after a position, in a list of the newest first that is ordered by a time and an id. */
export function after(columns: RawBuilder<unknown>, position: Position | undefined): Condition[] {
  if (position === undefined) return []
  const [time, id] = position
  return [sql`${columns} < (${time}::timestamptz, ${id})`]
}

/** A page out of the rows of a query that asked for one more. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  items: readonly Item[],
  positionOf: (row: Row) => Position,
): PageOf<Item> {
  const last = rows[limit - 1]
  const isMore = rows.length > limit && last !== undefined
  const nextCursor = isMore ? Buffer.from(JSON.stringify(positionOf(last))).toString('base64url') : null
  return { items: items.slice(0, limit), nextCursor }
}
