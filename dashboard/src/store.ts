/** A value that components follow: they render again when it changes. */

import { useEffect, useReducer } from 'preact/hooks'

export class Store<Value> {
  #value: Value
  readonly #listeners = new Set<() => void>()

  constructor(value: Value) {
    this.#value = value
  }

  get value(): Value {
    return this.#value
  }

  set(value: Value): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener()
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export function useStore<Value>(store: Store<Value>): Value {
  const [, render] = useReducer((count: number) => count + 1, 0)
  const seen = store.value
  // What was rendered is compared once, when listening begins
  useEffect(() => {
    const stop = store.listen(() => render(undefined as never))
    // It may have changed between the rendering and now.
    if (!Object.is(seen, store.value)) render(undefined as never)
    return () => void stop()
  }, [store])
  return seen
}
