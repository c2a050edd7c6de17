/** Names and their values, scope in scope. */

import { UNKNOWN, type Value } from './value.ts'

export class Scope {
  readonly #values = new Map<string, Value>()
  readonly #parent: Scope | undefined

  constructor(parent?: Scope) {
    this.#parent = parent
  }

  declare(name: string, value: Value): void {
    this.#values.set(name, value)
  }

  /** Undefined for a name that is declared nowhere. */
  find(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#parent?.find(name)
  }

  assign(name: string, value: Value): void {
    if (this.#values.has(name) || this.#parent === undefined) this.#values.set(name, value)
    else this.#parent.assign(name, value)
  }

  /** For names whose value is unknown. */
  forget(name: string): void {
    this.assign(name, UNKNOWN)
  }
}
