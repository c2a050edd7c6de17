/** Asks the Backend API for resources by id: whether they exist, and what they are. */

import type { ApiCall, ClerkApi, Parameters } from '../clerk/api/client.ts'
import { NotFound } from '../clerk/api/failure.ts'
import type { Item } from '../clerk/api/reply.ts'
import {
  type ApiDescription,
  type ApiSearch,
  fillPath,
  fillQuery,
  isFillable,
} from '../clerk/api-description.ts'
import type { Resource } from '../clerk/resource.ts'
import { ClerkSyncError } from '../errors.ts'
import { type ListedPage, type Position, readByOffset, START } from './pages.ts'

/** Which resource: its id, and the columns that Clerk wants to know with it. */
export type Wanted = Readonly<Record<string, unknown>> & { readonly id: string }

/** What Clerk said of one, and when it was asked. */
export interface Answer {
  readonly id: string
  /** Null if it does not exist. */
  readonly item: Item | null
  readonly observedAt: Date
}

/** Requests for single resources that may be under way together. */
const AT_ONCE = 8

/** Whether Clerk can be asked for one by id. */
export function canLookUp({ api }: Resource): boolean {
  return api?.get !== undefined || api?.find !== undefined
}

/**
 * Asks for several of one resource, in as few requests as Clerk allows. The answers come in another order, and none for
 * what lacks a value that Clerk must be asked with: nothing is known of it then.
 * @throws {ClerkSyncError} `api_…`
 */
export async function lookUp(
  api: ClerkApi,
  { api: description = { lists: [] } }: Resource,
  rows: readonly Wanted[],
  call: ApiCall,
): Promise<Answer[]> {
  const { get, find } = description
  const wanted = rows.filter((row) => isComplete(description, row))
  if (find?.maxIds !== undefined) {
    const answers: Answer[] = []
    for (const group of groupsOf(wanted, find.maxIds)) answers.push(...(await search(api, find, group, call)))
    return answers
  }
  const ask = async (one: Wanted): Promise<Answer[]> =>
    get ? [await getOne(api, get, one, call)] : search(api, find as ApiSearch, [one], call)
  const answers: Answer[] = []
  for (const group of groupsOf(wanted, AT_ONCE)) answers.push(...(await Promise.all(group.map(ask))).flat())
  return answers
}

/** A membership needs its organization, for instance, which not every event tells. */
function isComplete({ get = '', find }: ApiDescription, row: Wanted): boolean {
  const templates = [get, find?.path ?? '', ...Object.values(find?.query ?? {})]
  return templates.every((template) => isFillable(template, row))
}

async function getOne(api: ClerkApi, path: string, one: Wanted, call: ApiCall): Promise<Answer> {
  const { item, observedAt } = await api.item(fillPath(path, one), call)
  return { id: one.id, item, observedAt }
}

/** Looks for all of them in one list. What it does not hold does not exist. */
async function search(
  api: ClerkApi,
  find: ApiSearch,
  wanted: readonly Wanted[],
  call: ApiCall,
): Promise<Answer[]> {
  const found = new Map<string, Answer>()
  let askedAt: Date | undefined
  try {
    for await (const { items, observedAt } of results(api, find, wanted, call)) {
      askedAt ??= observedAt
      for (const item of items) found.set(item.id, { id: item.id, item, observedAt })
    }
  } catch (error) {
    askedAt = parentMissingSince(find, error)
    if (askedAt === undefined) throw error
  }
  return wanted.map(({ id }) => found.get(id) ?? { id, item: null, observedAt: askedAt as Date })
}

/** The list of an organization that does not exist is not found: then what is looked for does not exist either. */
export function parentMissingSince({ path }: ApiSearch, error: unknown): Date | undefined {
  const isOfParent = path.includes('{') && error instanceof ClerkSyncError && error.cause instanceof NotFound
  return isOfParent ? (error.cause as NotFound).observedAt : undefined
}

async function* results(
  api: ClerkApi,
  find: ApiSearch,
  wanted: readonly Wanted[],
  call: ApiCall,
): AsyncGenerator<ListedPage> {
  const path = pathOf(find, wanted)
  const adds = fillQuery(find.adds ?? {}, wanted[0] ?? {})
  for (const part of find.parts ?? [{}]) {
    const query = { ...queryOf(find, wanted), ...part }
    for (let position: Position | null = START; position; ) {
      const page: ListedPage = await readByOffset({ api, call }, path, query, position, { adds })
      yield page
      position = page.next
    }
  }
}

function pathOf({ path }: ApiSearch, [first]: readonly Wanted[]): string {
  return fillPath(path, first ?? {})
}

/** Each value as often as there are ids; those that are the same for all, once. */
function queryOf({ query }: ApiSearch, wanted: readonly Wanted[]): Parameters {
  const all = wanted.map((one) => fillQuery(query, one))
  const names = Object.keys(query)
  return Object.fromEntries(
    names.map((name) => [name, [...new Set(all.map((each) => each[name] as string))]]),
  )
}

function groupsOf<Value>(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  )
}
