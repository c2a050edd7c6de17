/**
 * The lists of the Backend API: filtered, ordered, cut into pages.
 *
 * The oddities are Clerk's: a page has 10 items by default, a limit over 500 silently gives 10 again, and some lists
 * are bare arrays where others say how many there are.
 */

import type { Payload } from '../../clerk/payloads.ts'
import type { SimulatedClerk } from '../simulated-clerk.ts'
import { type Answer, ok, unprocessable } from './answers.ts'
import type { Filters } from './filters.ts'

/** A request as the endpoints see it. */
export interface Call {
  readonly clerk: SimulatedClerk
  readonly query: URLSearchParams
  /** What stands in the placeholders of the path, in their order. */
  readonly ids: readonly string[]
  /** The `Clerk-API-Version` header. */
  readonly apiVersion: string | undefined
  readonly goneCursor: GoneCursor
  readonly environment: Environment
}

/** The kind of an instance, by its secret key: `sk_live_…` is production. */
export type Environment = 'production' | 'development'

/** The answer to a cursor whose user was deleted meanwhile: 422, or an empty page as if there were no more users. */
export type GoneCursor = 'refused' | 'empty'

export type Endpoint = (call: Call) => Answer

export interface List<Resource extends Payload> {
  /** Oldest first. */
  readonly rows: readonly Resource[]
  readonly filters?: Filters<Resource>
  /** What `order_by` may name, with what it reads. `created_at` is always known. */
  readonly orders?: Readonly<Record<string, (resource: Resource) => unknown>>
  /** `either`: an array, or with its count if `paginated=true`. Default `counted`. */
  readonly shape?: 'array' | 'counted' | 'either'
  /** How the API shows a resource. Default: as it is stored. */
  readonly show?: (resource: Resource) => Payload
}

const DEFAULT_LIMIT = 10
const MAX_LIMIT = 500

/** Answers with a page. */
export function list<Resource extends Payload>(call: Call, definition: List<Resource>): Answer {
  const { show = (resource: Resource): Payload => resource, shape = 'counted' } = definition
  const { limit, offset } = pageOf(call.query)
  const found = order(call.query, definition, select(call.query, definition))
  const data = found.slice(offset, offset + limit).map(show)
  const isCounted = shape === 'counted' || (shape === 'either' && call.query.get('paginated') === 'true')
  return ok(isCounted ? { data, total_count: found.length } : data)
}

/** What the filters of a request leave. */
export function select<Resource extends Payload>(
  query: URLSearchParams,
  { rows, filters = {} }: List<Resource>,
): readonly Resource[] {
  const tests = Object.entries(filters).flatMap(([name, filter]) => {
    const values = valuesOf(query, name)
    return values.length === 0 ? [] : [filter(values, name)]
  })
  return tests.length === 0 ? rows : rows.filter((row) => tests.every((test) => test(row)))
}

/** Lists of values come as `name=a&name=b`, or with brackets behind the name. */
function valuesOf(query: URLSearchParams, name: string): string[] {
  return [...query.getAll(name), ...query.getAll(`${name}[]`)]
}

export function order<Resource extends Payload>(
  query: URLSearchParams,
  { orders = {} }: List<Resource>,
  rows: readonly Resource[],
): readonly Resource[] {
  const { name, isDescending } = orderOf(query)
  if (name !== 'created_at' && !Object.hasOwn(orders, name)) {
    throw unprocessable('order_by', `order_by cannot be ${query.get('order_by')}`)
  }
  const read = orders[name]
  const ascending =
    name === 'created_at' || !read ? rows : [...rows].sort((a, b) => compare(read(a), read(b)))
  return isDescending ? ascending.toReversed() : ascending
}

/** Without a sign, ascending. A `+` that was not encoded arrives as a space, which is no sign. */
export function orderOf(query: URLSearchParams): { name: string; isDescending: boolean } {
  const text = query.get('order_by') ?? '-created_at'
  return { name: text.replace(/^[+-]/, ''), isDescending: text.startsWith('-') }
}

/** As Postgres does: null comes after everything else. */
function compare(a: unknown, b: unknown): number {
  const [left, right] = [a ?? null, b ?? null]
  if (left === null || right === null) return Number(left === null) - Number(right === null)
  if (typeof left === 'number' && typeof right === 'number') return left - right
  return String(left) < String(right) ? -1 : Number(String(left) > String(right))
}

export function pageOf(query: URLSearchParams): { limit: number; offset: number } {
  const limit = wholeNumber(query, 'limit', DEFAULT_LIMIT)
  const offset = wholeNumber(query, 'offset', 0)
  return { limit: limit < 1 || limit > MAX_LIMIT ? DEFAULT_LIMIT : limit, offset }
}

function wholeNumber(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  if (!/^\d{1,15}$/.test(text)) throw unprocessable(name, `${name} must be a whole number, not negative`)
  return Number(text)
}
