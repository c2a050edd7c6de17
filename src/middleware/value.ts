/** What an expression of a middleware may be worth, as far as its source tells. */

export type Primitive = string | number | boolean | bigint | null | undefined

interface Unknown {
  readonly kind: 'unknown'
  /** Whether it counts as true, where at least that was decided. */
  readonly truth: boolean | undefined
}

/** Something with properties that can be called: a request, a session, a function. */
export interface Thing {
  readonly kind: 'thing'
  readonly get?: (name: string, at: number) => Value
  readonly call?: (args: readonly Value[], at: number) => Value
  /** Handing it to unknown code lets that code turn the request away. */
  readonly canDeny?: boolean
}

/** A response of the middleware's own: the request never reaches the route. */
interface Denial {
  readonly kind: 'denial'
  readonly at: number
}

export type Value =
  | { readonly kind: 'known'; readonly value: Primitive }
  | { readonly kind: 'pattern'; readonly value: RegExp }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, Value> }
  | { readonly kind: 'pass' }
  | Thing
  | Denial
  | Unknown

export const UNKNOWN: Unknown = { kind: 'unknown', truth: undefined }
export const PASS: Value = { kind: 'pass' }
export const UNDEFINED = known(undefined)

export function known(value: Primitive): Value {
  return { kind: 'known', value }
}

export function list(items: readonly Value[]): Value {
  return { kind: 'list', items }
}

export function thing(parts: Omit<Thing, 'kind'>): Thing {
  return { kind: 'thing', ...parts }
}

export function callable(call: (args: readonly Value[], at: number) => Value): Thing {
  return { kind: 'thing', call }
}

/** A thing of which only these properties are known. */
export function fieldsOf(fields: Readonly<Record<string, Value>>): (name: string) => Value {
  return (name) => (Object.hasOwn(fields, name) ? (fields[name] as Value) : UNKNOWN)
}

/** Undefined if unknown. */
export function truthOf(value: Value): boolean | undefined {
  if (value.kind === 'known') return Boolean(value.value)
  return value.kind === 'unknown' ? value.truth : true
}

export function textOf(value: Value | undefined): string | undefined {
  return value?.kind === 'known' && typeof value.value === 'string' ? value.value : undefined
}

/** Ends a way through the middleware: with a denial, or because it leads where the source does not tell. */
export class Ending {
  readonly kind: 'protected' | 'unclear'
  readonly at: number

  constructor(kind: Ending['kind'], at: number) {
    this.kind = kind
    this.at = at
  }
}

export function deny(at: number): never {
  throw new Ending('protected', at)
}

export function giveUp(at: number): never {
  throw new Ending('unclear', at)
}
