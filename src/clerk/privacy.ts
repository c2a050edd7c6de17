/**
 * Data minimization: fields are dropped or hashed before anything of an event or of a Backend API answer is stored.
 * Rows, `raw`, bodies and changes are all made from what remains.
 */

import { createHmac } from 'node:crypto'
import { closest } from '../closest.ts'
import { ClerkSyncError } from '../errors.ts'
import { CATALOGUE, findEvent, RESOURCES, type ResourceName } from './catalogue.ts'
import { type ClerkEvent, isObject } from './event.ts'
import { isExactNumber } from './exact-json.ts'
import type { Payload } from './payloads.ts'
import type { Column, Resource } from './resource.ts'

/** What is kept of a resource. */
export interface ResourcePrivacy {
  /**
   * Columns or fields of Clerk's JSON that are not stored at all: `phone_numbers`, `unsafe_metadata.ssn`,
   * `external_accounts.label`.
   */
  readonly omit?: readonly string[] | undefined
  /** Those of which a keyed hash is stored, so that equal values can still be found: `primary_email_address`. */
  readonly hash?: readonly string[] | undefined
}

/** By resource. */
export type PrivacyOptions = { readonly [resource in ResourceName]?: ResourcePrivacy | undefined }

interface Rule {
  readonly path: readonly string[]
  readonly isHashed: boolean
}

/** Begins every stored hash, so that a replay does not hash it again. */
const PREFIX = 'hmac-sha256:'
/** Without these nothing could be compared. */
const NEEDED = new Set(['id', 'object', 'created_at', 'updated_at'])

export class Privacy {
  readonly #rules: ReadonlyMap<string, readonly Rule[]>
  readonly #key: string

  private constructor(rules: ReadonlyMap<string, readonly Rule[]>, key: string) {
    this.#rules = rules
    this.#key = key
  }

  /**
   * @returns undefined if everything is kept
   * @throws {ClerkSyncError} `option_invalid`, naming what is wrong
   */
  static of(options: PrivacyOptions, key: string): Privacy | undefined {
    const own = new Map(Object.entries(options).map(([table, each]) => [table, rulesOf(table, each ?? {})]))
    const rules = new Map(
      [...RESOURCES.values()].map((each) => [each.table, withEmbedded(each, own)] as const),
    )
    const all = [...rules.values()].flat()
    if (all.length === 0) return undefined
    if (key === '' && all.some(({ isHashed }) => isHashed))
      throw invalid(
        'privacy hashes something, and privacyKey is missing: `openssl rand -base64 32` makes one',
      )
    return new Privacy(rules, key)
  }

  /** `users.phone_numbers: left out`, for people. */
  get rules(): string[] {
    return [...this.#rules].flatMap(([table, rules]) =>
      rules.map(({ path, isHashed }) => `${table}.${path.join('.')}: ${isHashed ? 'hashed' : 'left out'}`),
    )
  }

  /** The event with what is kept of it: the same one if that is everything. */
  event(event: ClerkEvent): ClerkEvent {
    const found = findEvent(event.type)
    if (found === undefined) return event
    const data = this.data(found.resource, event.data as Payload)
    return data === event.data ? event : { ...event, data: data as ClerkEvent['data'] }
  }

  /** What is kept of a resource's JSON. */
  data(resource: Resource, data: Payload): Payload {
    const rules = this.#rules.get(resource.table) ?? []
    return rules.reduce((kept, rule) => this.#apply(kept, rule.path, rule.isHashed) as Payload, data)
  }

  /** A copy along the path, if there is something at its end. */
  #apply(value: unknown, path: readonly string[], isHashed: boolean): unknown {
    if (Array.isArray(value)) return this.#applyToAll(value, path, isHashed)
    if (!isObject(value)) return value
    const [name, ...rest] = path as [string, ...string[]]
    if (!Object.hasOwn(value, name)) return value
    if (rest.length > 0) {
      const inner = this.#apply(value[name], rest, isHashed)
      return inner === value[name] ? value : { ...value, [name]: inner }
    }
    if (isHashed) return { ...value, [name]: this.#hash(value[name]) }
    const { [name]: _, ...others } = value
    return others
  }

  #applyToAll(list: readonly unknown[], path: readonly string[], isHashed: boolean): readonly unknown[] {
    const applied = list.map((member) => this.#apply(member, path, isHashed))
    return applied.every((member, index) => member === list[index]) ? list : applied
  }

  #hash(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((member) => this.#hash(member))
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#hash(inner)]))
    const isExact = isExactNumber(value)
    if (typeof value !== 'string' && typeof value !== 'number' && !isExact) return value
    const text = isExact ? JSON.stringify(value) : String(value)
    if (text === '' || text.startsWith(PREFIX)) return text
    return PREFIX + createHmac('sha256', this.#key).update(text).digest('base64url')
  }
}

/** A resource inside another is kept as it would be by itself. */
function withEmbedded(resource: Resource, own: ReadonlyMap<string, readonly Rule[]>): Rule[] {
  const embedded = (resource.embeds ?? []).flatMap(({ resource: table, fields }) =>
    (own.get(table) ?? []).flatMap((rule) =>
      fields.map((field) => ({ ...rule, path: [...field.split('.'), ...rule.path] })),
    ),
  )
  return [...(own.get(resource.table) ?? []), ...embedded]
}

function rulesOf(table: string, { omit = [], hash = [], ...others }: ResourcePrivacy): Rule[] {
  const resource: Resource | undefined = CATALOGUE[table as ResourceName]
  if (resource === undefined) throw invalid(`privacy has ${table}${suggestion(table, [...RESOURCES.keys()])}`)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    throw invalid(`privacy.${table} has ${unknown}${suggestion(unknown, ['omit', 'hash'])}`)
  return [
    ...omit.flatMap((name) => toPaths(resource, name).map((path) => ({ path, isHashed: false }))),
    ...hash.flatMap((name) => toPaths(resource, name).map((path) => ({ path, isHashed: true }))),
  ]
}

/** The places in Clerk's JSON that a name means: a column's, or the field itself. */
function toPaths(resource: Resource, name: string): string[][] {
  const [first = '', ...rest] = name.split('.')
  const column = resource.columns[first]
  const set = resource.children?.find(({ field, table }) => field === first || table === first)
  if (column === undefined && set === undefined) throw unknownName(resource, name)
  if (set && rest[0] !== undefined && set.columns[rest[0]] === undefined && rest[0] !== 'verification')
    throw unknownName(resource, name)
  if (column && rest.length > 0 && column.sqlType !== 'jsonb') throw unknownName(resource, name)
  const paths = set
    ? [[set.field, ...rest]]
    : placesOf(first, column as Column).map((each) => [...each, ...rest])
  const needed = neededPlaces(resource)
  const refused = paths.find((path) => NEEDED.has(path[0] ?? '') || needed.has(path.join('.')))
  if (refused) throw invalid(`privacy.${resource.table} has ${name}, without which rows cannot be kept apart`)
  return paths
}

function placesOf(name: string, { source = name, derivedFrom }: Column): string[][] {
  const places = derivedFrom ?? source
  if (typeof places === 'function') return [[name]]
  return (typeof places === 'string' ? [places] : places).map((place) => place.split('.'))
}

/** What says whom a resource belongs to and is about. */
function neededPlaces({ columns, parents = {}, person }: Resource): Set<string> {
  const names = [...Object.keys(parents), ...Object.keys(person?.users ?? {})]
  return new Set(
    names.flatMap((name) => placesOf(name, columns[name] as Column).map((place) => place.join('.'))),
  )
}

function unknownName(resource: Resource, name: string): ClerkSyncError {
  const sets = (resource.children ?? []).flatMap(({ field, columns }) => [
    field,
    ...Object.keys(columns).map((column) => `${field}.${column}`),
  ])
  const known = [...Object.keys(resource.columns), ...sets]
  return invalid(`privacy.${resource.table} has ${name}${suggestion(name, known)}`)
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = closest(name, known)
  return nearest ? `; did you mean ${nearest}?` : `; there are ${known.join(', ')}`
}

function invalid(what: string): ClerkSyncError {
  return new ClerkSyncError('option_invalid', what)
}
