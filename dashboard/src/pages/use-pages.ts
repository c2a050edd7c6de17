/** A list, page by page. Rows stay where they are: what is new comes by starting again, what changed changes in place. */

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
  /** How many of the first page as it is now are not among the items. */
  readonly waiting: number
  /** Back to the newest. */
  readonly restart: () => Promise<void>
}

interface Options {
  /** Whether the first page keeps its rows until {@link Pages.restart}. */
  readonly isKept?: boolean
  readonly everyMs?: number
}

/** @param keyOf what tells rows apart */
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
  // What is left of an earlier visit is shown until the server has answered, but not kept. Where no row is, none moves.
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

/** The rows of the one with what the other knows of them. */
function inPlace<Item>(
  kept: PageOf<Item>,
  fresh: PageOf<Item> | undefined,
  keyOf: (item: Item) => string,
): PageOf<Item> {
  const known = new Map((fresh?.items ?? []).map((item) => [keyOf(item), item]))
  return { ...kept, items: kept.items.map((item) => known.get(keyOf(item)) ?? item) }
}
