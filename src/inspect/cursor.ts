/** Where a page of a list starts: after the last row of the page before it, whatever came meanwhile. */

import { ClerkSyncError } from '../errors.ts'
import type { PageOf } from './model.ts'

/** What a list is ordered by. Times are text, because a JavaScript date has no microseconds. */
export type Position = readonly string[]

export interface PageRequest {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** @throws {ClerkSyncError} `request_invalid` for what is no cursor */
export function readCursor(cursor: string | undefined, length: number): Position | undefined {
  if (cursor === undefined) return undefined
  const position = parse(cursor)
  const isPosition =
    Array.isArray(position) &&
    position.length === length &&
    position.every((value) => typeof value === 'string')
  if (!isPosition) throw new ClerkSyncError('request_invalid', 'cursor is none that a list gave')
  return position
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
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
