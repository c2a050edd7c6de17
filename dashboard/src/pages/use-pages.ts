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

interface Options<Item> {
  /** What tells rows apart. Given: the first page keeps its rows until {@link Pages.restart}. */
  readonly keepBy?: (item: Item) => string
  readonly everyMs?: number
}

export function usePages<Name extends Listing>(
  name: Name,
  input: Input<Name>,
  { keepBy, everyMs = 0 }: Options<ItemOf<Name>> = {},
): Pages<ItemOf<Name>> {
  type Item = ItemOf<Name>
  const first = useAnswer(name, input, everyMs) as unknown as Pages<Item>['first']
  const [startedAt] = useState(Date.now)
  const [older, setOlder] = useState<readonly PageOf<Item>[]>([])
  const kept = useRef<PageOf<Item> | undefined>(undefined)
  // What is left of an earlier visit is shown until the server has answered, but not kept. Where no row is, none moves.
  if (keepBy && !kept.current?.items.length && first.at >= startedAt) kept.current = first.value
  const page = keepBy && kept.current ? inPlace(kept.current, first.value, keepBy) : first.value
  const items = [...(page ? [page] : []), ...older].flatMap((each) => each.items)
  const cursor = (older.at(-1) ?? page)?.nextCursor ?? null
  const more = async () => {
    const query = { ...(input as { query?: object }).query, cursor }
    const next = (await call(name, { ...(input as object), query } as Input<Name>)) as unknown as PageOf<Item>
    setOlder([...older, next])
  }
  const restart = useCallback(async () => {
    await first.refresh()
    kept.current = undefined
    setOlder([])
  }, [first.refresh])
  return {
    first: { ...first, value: page },
    items,
    waiting: keepBy ? missingIn(items, first.value?.items ?? [], keepBy) : 0,
    more: cursor === null ? undefined : more,
    restart,
  }
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
