/** Which handlers there are, and which of them an event is for. */

import { isFor } from '../clerk/event-patterns.ts'
import { ClerkSyncError } from '../errors.ts'
import type { HandlerDefinition } from './handler.ts'

export class Registry {
  readonly #byName = new Map<string, HandlerDefinition>()
  /** Each event type is looked up for every event; there are some fifty. */
  readonly #byType = new Map<string, readonly HandlerDefinition[]>()
  #isClosed = false

  get definitions(): readonly HandlerDefinition[] {
    return [...this.#byName.values()]
  }

  /** @throws {ClerkSyncError} `handler_duplicate` or `handler_late` */
  add(definition: HandlerDefinition): void {
    if (this.#isClosed) throw new ClerkSyncError('handler_late', definition.name)
    if (this.#byName.has(definition.name)) throw new ClerkSyncError('handler_duplicate', definition.name)
    this.#byName.set(definition.name, definition)
    this.#byType.clear()
  }

  /** From now on the handlers are these: events are recorded for them, or workers run them. */
  close(): void {
    this.#isClosed = true
  }

  find(name: string): HandlerDefinition | undefined {
    return this.#byName.get(name)
  }

  /** @throws {ClerkSyncError} `handler_unknown` */
  get(name: string): HandlerDefinition {
    const definition = this.#byName.get(name)
    if (definition === undefined) throw new ClerkSyncError('handler_unknown', name)
    return definition
  }

  matching(type: string): readonly HandlerDefinition[] {
    const known = this.#byType.get(type)
    if (known) return known
    const found = this.definitions.filter(({ patterns }) => isFor(patterns, type))
    // Unknown types come from outside; they must not fill the memory.
    if (this.#byType.size < 1_000) this.#byType.set(type, found)
    return found
  }
}
