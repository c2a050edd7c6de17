/**
 * How Clerk's Backend API shows a resource: where it is listed, and how it is asked for by id.
 *
 * Paths are below `/v1`. In paths and queries `{name}` stands for a value of the row in question: `{id}`, or a column.
 * https://clerk.com/docs/reference/backend-api
 */

/** A resource's description; what is absent, Clerk does not offer. */
export interface ApiDescription {
  readonly lists: readonly ApiList[]
  /** The resource by its id; 404 if there is none. */
  readonly get?: string
  /** A list that holds the resource if it exists. Without this and {@link get}, absence from a list proves nothing. */
  readonly find?: ApiSearch
  /** What has no list of all is read for the owners of rows that differed: the table, and the columns that name owners. */
  readonly refreshes?: Refresh
  /**
   * How it looks beside what events show. What is absent here keeps the value that it had.
   * - `same`: every field is there
   * - `less`: some fields are not
   * - `other`: fields have other names and shapes too, so that only Clerk's clock tells whether it changed
   * @default "same"
   */
  readonly shape?: 'same' | 'less' | 'other'
}

interface Refresh {
  readonly resource: string
  /** By the table that the lists are read per: the column with its id. */
  readonly owners: Readonly<Record<string, string>>
}

/** A list that can be paged through. */
export interface ApiList {
  readonly path: string
  readonly query?: Query
  /**
   * - `cursor`: `starting_after` an id
   * - `offset`: by number; rows that are deleted meanwhile shift the others
   * - `none`: one resource, not a list
   */
  readonly paging: 'cursor' | 'offset' | 'none'
  /** One list for each live row of this table: a request or more per row, so that it is read only on request. */
  readonly per?: string
  /** Those rows are few, so that it is read with the other lists. */
  readonly isFew?: boolean
  /** What its items do not tell and the request does: put into each, before its own fields. */
  readonly adds?: Query
  /** How many rows a page may have. */
  readonly maxPageSize?: number
  /** One list for each item of this list, which no table holds: a request or more per item, so that it is read only on request. */
  readonly below?: string
  /** One list for each of these queries: no single one shows all. */
  readonly parts?: readonly Query[]
  /** Tells how many there are, where the list itself does not. */
  readonly countPath?: string
  /** The order that shows first what changed last. */
  readonly latestFirst?: Query
}

export interface ApiSearch {
  readonly path: string
  readonly query: Query
  readonly parts?: readonly Query[]
  /** As {@link ApiList.adds}. */
  readonly adds?: Query
  /**
   * How many ids one request may ask for, each as one more parameter.
   * @default 1
   */
  readonly maxIds?: number
}

/** A query of a URL. */
export type Query = Readonly<Record<string, string>>

/** The most that a page can hold. One more, and Clerk answers with ten. */
export const MAX_PAGE_SIZE = 500

/** The order in which rows that are created during the listing come last. */
export const OLDEST_FIRST: Query = { order_by: '+created_at' }

/** Whether it takes few enough requests to be read without being asked for. */
export function isWhole({ per, isFew = false, below }: ApiList): boolean {
  return (per === undefined || isFew) && below === undefined
}

/** Whether there is a value for each placeholder. */
export function isFillable(template: string, values: Readonly<Record<string, unknown>>): boolean {
  return [...template.matchAll(PLACEHOLDER)].every(([, name]) => Boolean(values[name as string]))
}

/** Fills in the placeholders of a path. */
export function fillPath(template: string, values: Readonly<Record<string, unknown>>): string {
  return fill(template, values, encodeURIComponent)
}

/** Fills in the placeholders of a query. */
export function fillQuery(query: Query, values: Readonly<Record<string, unknown>>): Query {
  const filled = Object.entries(query).map(([name, template]) => [name, fill(template, values, String)])
  return Object.fromEntries(filled)
}

function fill(
  template: string,
  values: Readonly<Record<string, unknown>>,
  encode: (value: string) => string,
): string {
  return template.replace(PLACEHOLDER, (_, name) => encode(String(values[name] ?? '')))
}

const PLACEHOLDER = /\{(\w+)\}/g
