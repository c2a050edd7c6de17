/**
 * A cache of the server's answers by address. A component gets the last known answer at once and a fresh one soon;
 * while the server does not answer, the old one stays visible, marked as old.
 */

import { useEffect } from 'preact/hooks'
import {
  type AnswerOf,
  addressOf,
  call,
  type Input,
  type Problem,
  problemOf,
  type Readable,
  Refusal,
} from './api.ts'
import { session, signedOut } from './session.ts'
import { Store, useStore } from './store.ts'

export interface Answer<Value> {
  /** The last successful answer; undefined before the first. */
  readonly value: Value | undefined
  /** The current error; the value is then old. */
  readonly problem: Problem | undefined
  readonly at: number
}

interface Entry {
  readonly store: Store<Answer<unknown>>
  readonly fetch: () => Promise<void>
  /** How many components use it. */
  users: number
  underWay: Promise<void> | undefined
  /** Requested again during a request. */
  next: Promise<void> | undefined
  /** The value was written during a request, whose answer is then older. */
  writes: number
}

const NOTHING: Answer<never> = { value: undefined, problem: undefined, at: 0 }
/** Unused answers are kept for the back button, up to this many. */
const MAX_ENTRIES = 200

const entries = new Map<string, Entry>()

/**
 * The answer of a route, kept fresh while the component is there.
 *
 * @param input null asks nothing
 * @param everyMs how often to ask again; 0 means once
 */
export function useAnswer<Name extends Readable>(
  name: Name,
  input: Input<Name> | null,
  everyMs = 0,
): Answer<AnswerOf<Name>> & { refresh(): Promise<void> } {
  const entry = input === null ? IDLE : entryOf(name, input)
  const answer = useStore(entry.store) as Answer<AnswerOf<Name>>
  // Compared by the entry, not by its address: a dropped entry may have been replaced by another.
  useEffect(() => {
    entry.users += 1
    const look = () => entry.underWay ?? entry.fetch()
    void look()
    const timer = everyMs > 0 ? setInterval(() => document.hidden || void look(), everyMs) : undefined
    return () => {
      entry.users -= 1
      clearInterval(timer)
    }
  }, [entry, everyMs])
  return { ...answer, refresh: entry.fetch }
}

const IDLE: Entry = {
  store: new Store<Answer<unknown>>(NOTHING),
  fetch: async () => undefined,
  users: 0,
  underWay: undefined,
  next: undefined,
  writes: 0,
}

function entryOf<Name extends Readable>(name: Name, input: Input<Name>): Entry {
  const address = addressOf(name, input)
  const known = entries.get(address)
  if (known) return known
  const entry: Entry = {
    store: new Store<Answer<unknown>>(NOTHING),
    users: 0,
    underWay: undefined,
    next: undefined,
    writes: 0,
    fetch: () => load(entry, () => call(name, input)),
  }
  forgetOldest()
  entries.set(address, entry)
  return entry
}

/** The current request may be older than the reason to refresh, so that another one follows. */
function load(entry: Entry, ask: () => Promise<unknown>): Promise<void> {
  if (entry.underWay) {
    entry.next ??= entry.underWay.then(() => {
      entry.next = undefined
      return load(entry, ask)
    })
    return entry.next
  }
  entry.underWay = loadOnce(entry, ask).finally(() => {
    entry.underWay = undefined
  })
  return entry.underWay
}

async function loadOnce(entry: Entry, ask: () => Promise<unknown>): Promise<void> {
  const { writes } = entry
  try {
    const value = await ask()
    if (entry.writes === writes) entry.store.set({ value, problem: undefined, at: Date.now() })
  } catch (error) {
    if (error instanceof Refusal && error.status === 401 && session.value) signedOut(error.problem)
    entry.store.set({ ...entry.store.value, problem: problemOf(error) })
  }
}

function forgetOldest(): void {
  for (const [address, entry] of entries) {
    if (entries.size < MAX_ENTRIES) return
    if (entry.users === 0) entries.delete(address)
  }
}

/** Replaces an answer with one that the server pushed. */
export function write<Name extends Readable>(name: Name, input: Input<Name>, value: AnswerOf<Name>): void {
  const entry = entryOf(name, input)
  entry.writes += 1
  entry.store.set({ value, problem: undefined, at: Date.now() })
}

/** Refreshes the visible answers whose address has this prefix, after an action; all of them by default. */
export function refresh(...routes: readonly string[]): void {
  const isMeant = (address: string) =>
    routes.length === 0 || routes.some((route) => address.startsWith(`api/${route}`))
  for (const [address, entry] of entries) {
    if (!isMeant(address)) continue
    if (entry.users > 0) void entry.fetch()
    else entries.delete(address)
  }
}
