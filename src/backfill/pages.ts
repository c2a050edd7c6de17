/**
 * Reads everything that Clerk lists of a resource, page by page, from any position on.
 *
 * Lists that are paged by number shift while they are read: what is deleted in front moves the rest forward, and a row
 * would be skipped. So each page begins with the last rows of the one before; if none of them is there, the reading goes
 * back until one is.
 */

import type { ApiCall, ClerkApi, Parameters, Shown } from '../clerk/api/client.ts'
import { NotFound } from '../clerk/api/failure.ts'
import type { Item, Page } from '../clerk/api/reply.ts'
import { type ApiList, fillPath, fillQuery, type Query } from '../clerk/api-description.ts'
import type { Resource } from '../clerk/resource.ts'
import { ClerkSyncError } from '../errors.ts'

/** Where a reading is. JSON. */
export interface Position {
  /** Which of the resource's lists, and which part of it. */
  readonly list: number
  readonly part: number
  /** For lists per row of another table: the last row whose list is read. */
  readonly parent: string | null
  /** For lists by number: how many are read. */
  readonly offset: number
  /** The last ids of the page before; the very last is the cursor of lists by cursor. */
  readonly lastIds: readonly string[]
}

/** A page, without what the page before had already. */
export interface ListedPage {
  readonly items: readonly Item[]
  readonly observedAt: Date
  /** How many the list says that it has, if it does. */
  readonly total: number | null
  /** Where to go on after this page; null if it is the last. */
  readonly next: Position | null
}

/** Reads the ids of the live rows of a table in order, some at a time. */
export type ReadParents = (table: string, after: string | null, limit: number) => Promise<string[]>

export interface Reading {
  readonly api: ClerkApi
  readonly call: ApiCall
  readonly readParents: ReadParents
}

/** The beginning of a resource's first list. */
export const START: Position = { list: 0, part: 0, parent: null, offset: 0, lastIds: [] }
/** Each page repeats this many rows of the one before, so that as many deletions in between skip nothing. */
const OVERLAP = 10
/** Lists of single rows are short: several are read at once. */
const PARENTS_AT_ONCE = 8
/** So many lists below another are read between two checkpoints; more than the overlap of that one's pages. */
const ITEMS_AT_ONCE = 50

/** @throws {ClerkSyncError} `api_…` */
export async function* readPages(
  reading: Reading,
  resource: Resource,
  from: Position | null,
): AsyncGenerator<ListedPage> {
  const lists = resource.api?.lists ?? []
  let position: Position | null = from ?? START
  while (position) {
    const list: ApiList | undefined = lists[position.list]
    if (list === undefined) return
    const page = await readNext(reading, list, position)
    position = page.next ?? following(lists, position)
    yield { ...page, next: position }
  }
}

/** The next part of the list, or the next list. */
function following(lists: readonly ApiList[], { list, part }: Position): Position | null {
  const parts = lists[list]?.parts?.length ?? 1
  if (part + 1 < parts) return { ...START, list, part: part + 1 }
  return list + 1 < lists.length ? { ...START, list: list + 1 } : null
}

function readNext(reading: Reading, list: ApiList, position: Position): Promise<ListedPage> {
  if (list.per) return readOfParents(reading, list, list.per, position)
  if (list.below) return readBelow(reading, list, list.below, position)
  const query = { ...list.query, ...list.parts?.[position.part] }
  return list.paging === 'cursor'
    ? readByCursor(reading, list.path, query, position)
    : readByOffset(reading, list.path, query, position)
}

/** What a cursor means whose row was deleted in the meantime is not documented: if it is refused, an earlier one is taken. */
async function readByCursor(
  { api, call }: Reading,
  path: string,
  query: Query,
  position: Position,
): Promise<ListedPage> {
  const cursors = [...position.lastIds].reverse()
  for (;;) {
    const cursor = cursors.shift()
    const after: Parameters = cursor === undefined ? {} : { starting_after: cursor }
    try {
      const page = await api.page(path, { ...query, ...after, limit: String(api.pageSize) }, call)
      const lastIds = page.items.slice(-OVERLAP).map(({ id }) => id)
      const isLast = page.items.length < api.pageSize
      return { ...page, next: isLast ? null : { ...position, lastIds } }
    } catch (error) {
      if (cursors.length === 0 || !isRefusal(error)) throw error
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ClerkSyncError && error.cause instanceof NotFound
}

function isRefusal(error: unknown): boolean {
  return error instanceof ClerkSyncError && ['api_refused', 'api_feature_off'].includes(error.code)
}

/** A page of a list by number; goes back as long as rows may have been skipped. */
export async function readByOffset(
  { api, call }: Pick<Reading, 'api' | 'call'>,
  path: string,
  query: Parameters,
  position: Position,
  { pageSize = api.pageSize, adds }: { pageSize?: number; adds?: Query } = {},
): Promise<ListedPage> {
  let offset = Math.max(0, position.offset - OVERLAP)
  for (;;) {
    const page = await api.page(
      path,
      { ...query, limit: String(pageSize), offset: String(offset) },
      call,
      adds,
    )
    const seen = new Set(position.lastIds)
    const isConnected = offset === 0 || page.items.some(({ id }) => seen.has(id))
    if (isConnected) return toListed(page, pageSize, offset, position)
    offset = Math.max(0, offset - pageSize + OVERLAP)
  }
}

function toListed(page: Shown<Page>, pageSize: number, offset: number, position: Position): ListedPage {
  const seen = new Set(position.lastIds)
  const items = page.items.filter(({ id }) => !seen.has(id))
  const end = offset + page.items.length
  // A total may count more than the list ever shows.
  const isLast =
    items.length === 0 || (page.total === null ? page.items.length < pageSize : end >= page.total)
  const lastIds = page.items.slice(-OVERLAP).map(({ id }) => id)
  return {
    items,
    observedAt: page.observedAt,
    total: page.total,
    next: isLast ? null : { ...position, offset: end, lastIds },
  }
}

/** The lists of the next few rows of another table, as one page. */
async function readOfParents(
  reading: Reading,
  list: ApiList,
  table: string,
  position: Position,
): Promise<ListedPage> {
  const parents = await reading.readParents(table, position.parent, PARENTS_AT_ONCE)
  const isLast = parents.length < PARENTS_AT_ONCE
  const next = isLast ? null : { ...position, parent: parents.at(-1) as string }
  return together(await readAll(reading, list, parents), next)
}

/** The lists of the next items of another list, as one page. */
async function readBelow(
  reading: Reading,
  list: ApiList,
  above: string,
  position: Position,
): Promise<ListedPage> {
  const { items, next } = await readByOffset(reading, above, {}, position, { pageSize: ITEMS_AT_ONCE })
  return together(
    await readAll(
      reading,
      list,
      items.map(({ id }) => id),
    ),
    next,
  )
}

function together(pages: readonly ListedPage[], next: Position | null): ListedPage {
  const times = pages.map(({ observedAt }) => observedAt.getTime())
  return {
    items: pages.flatMap(({ items }) => items),
    observedAt: new Date(times.length > 0 ? Math.min(...times) : 0),
    total: null,
    next,
  }
}

async function readAll(reading: Reading, list: ApiList, ids: readonly string[]): Promise<ListedPage[]> {
  const pages: ListedPage[] = []
  for (let first = 0; first < ids.length; first += PARENTS_AT_ONCE) {
    const group = ids.slice(first, first + PARENTS_AT_ONCE)
    pages.push(...(await Promise.all(group.map((id) => readWhole(reading, list, id)))).flat())
  }
  return pages
}

async function readWhole(reading: Reading, list: ApiList, id: string): Promise<ListedPage[]> {
  const path = fillPath(list.path, { id })
  const adds = fillQuery(list.adds ?? {}, { id })
  if (list.paging === 'none') {
    const { item, observedAt } = await reading.api.item(path, reading.call, adds)
    return item ? [{ items: [item], observedAt, total: null, next: null }] : []
  }
  const pages: ListedPage[] = []
  const query = fillQuery(list.query ?? {}, { id })
  const pageSize = Math.min(reading.api.pageSize, list.maxPageSize ?? reading.api.pageSize)
  try {
    for (let position: Position | null = START; position; position = pages.at(-1)?.next ?? null) {
      pages.push(await readByOffset(reading, path, query, position, { pageSize, adds }))
    }
  } catch (error) {
    // What it is the list of is gone by now; whether the feature is, the next request tells.
    if (!isGone(error)) throw error
  }
  return pages
}

/** Asks for the next value while the one before is used. */
export async function* readAhead<Value>(source: AsyncGenerator<Value>): AsyncGenerator<Value> {
  let next = source.next()
  try {
    for (;;) {
      const { value, done } = await next
      if (done) return
      next = source.next()
      // Its failure reaches the caller that awaits it.
      next.catch(() => undefined)
      yield value
    }
  } finally {
    await source.return(undefined)
  }
}
