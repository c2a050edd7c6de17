/** A paged list. Rows keep their place: new ones appear after a restart, changed ones are updated in place. */

import { useCallback, useRef, useState } from 'preact/hooks'
import { type Answer, useAnswer } from '../answers.ts'
import type { AnswerOf, Input, PageOf, Readable } from '../api.ts'
import { call } from '../api.ts'

/** Routes that answer pages. */
type Listing = { [Name in Readable]: AnswerOf<Name> extends PageOf<unknown> ? Name : never }[Readable]

type ItemOf<Name extends Listing> = AnswerOf<Name> extends PageOf<infer Item> ? Item : never

export interface Pages<Item> {
  /** The state of the first page. */
  readonly first: Answer<PageOf<Item>> & { refresh(): Promise<void> }
  readonly items: readonly Item[]
  /** Loads the next page; undefined if there is none. */
  readonly more: (() => Promise<void>) | undefined
  /** How many rows of the current first page are not in the list yet. */
  readonly waiting: number
  /** Back to the newest. */
  readonly restart: () => Promise<void>
}

interface Options {
  /** Whether the first page keeps its rows until {@link Pages.restart}. */
  readonly isKept?: boolean
  readonly everyMs?: number
}

/** @param keyOf the identity of a row */
export function usePages<Name extends Listing>(
  name: Name,
  input: Input<Name>,
  keyOf: (item: ItemOf<Name>) => string,
  { isKept = false, everyMs = 0 }: Options = {},
): Pages<ItemOf<Name>> {
  type Item = ItemOf<Name>
  const first = useAnswer(name, input, everyMs) as unknown as Pages<Item>['first']
  const [startedAt] = useState(Date.now)
  const [older, setOlder] = useState<readonly PageOf<Item>[]>([])
  const kept = useRef<PageOf<Item> | undefined>(undefined)
  // The list of an earlier visit is shown until the server answers, and then replaced. An empty list is replaced too.
  if (isKept && !kept.current?.items.length && first.at >= startedAt) kept.current = first.value
  const page = isKept && kept.current ? inPlace(kept.current, first.value, keyOf) : first.value
  const items = unique(
    [...(page ? [page] : []), ...older].flatMap((each) => each.items),
    keyOf,
  )
  const cursor = (older.at(-1) ?? page)?.nextCursor ?? null
  const more = async () => {
    const query = { ...(input as { query?: object }).query, cursor }
    const next = (await call(name, { ...(input as object), query } as Input<Name>)) as unknown as PageOf<Item>
    setOlder((before) => [...before, next])
  }
  const restart = useCallback(async () => {
    await first.refresh()
    kept.current = undefined
    setOlder([])
  }, [first.refresh])
  return {
    first: { ...first, value: page },
    items,
    waiting: missingIn(items, first.value?.items ?? [], keyOf),
    more: cursor === null ? undefined : more,
    restart,
  }
}

/** Rows move on to later pages while the first one is asked for again. */
function unique<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.toReversed().map((item) => [keyOf(item), item])).values()].toReversed()
}

function missingIn<Item>(
  known: readonly Item[],
  fresh: readonly Item[],
  keyOf: (item: Item) => string,
): number {
  const keys = new Set(known.map(keyOf))
  return fresh.filter((item) => !keys.has(keyOf(item))).length
}

/** The kept rows, updated from the fresh ones. */
function inPlace<Item>(
  kept: PageOf<Item>,
  fresh: PageOf<Item> | undefined,
  keyOf: (item: Item) => string,
): PageOf<Item> {
  const known = new Map((fresh?.items ?? []).map((item) => [keyOf(item), item]))
  return { ...kept, items: kept.items.map((item) => known.get(keyOf(item)) ?? item) }
}
