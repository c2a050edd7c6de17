/**
 * How a resource of Clerk's is described: its table, its columns and how each is read from Clerk's JSON, the
 * events that bring it, what deletes it, what else its payload holds, and where the Backend API shows it.
 *
 * Everything that needs to know a resource reads such a description: applying events, migrations' test, the
 * types people query with, the simulated Clerk, the schema page. See `catalogue.ts` for the list.
 */

import type { ApiDescription } from './api-description.ts'
import { isObject, toDate } from './event.ts'
import type { EventType, Payload } from './payloads.ts'
import type { SecretFinder } from './secrets.ts'
import { toStorableJson, toStorableText } from './storable.ts'

type SqlType = 'text' | 'boolean' | 'integer' | 'bigint' | 'timestamptz' | 'jsonb'

/** Where in the payload a column's value is: a dotted path, paths of which the first present counts, or a function. */
type Source = string | readonly string[] | ((data: Payload) => unknown)

export interface Column<Value = unknown> {
  readonly sqlType: SqlType
  /** Absent: the payload's field of the column's own name. */
  readonly source?: Source | undefined
  /** A value of another type than expected becomes null; `raw` keeps what Clerk sent. */
  readonly cast: (value: unknown) => Value | null
  /** Where the value of a function comes from, as a path. */
  readonly derivedFrom?: string | undefined
  /** What it says of a person. Absent: nothing, or an id or a time that says nothing by itself. */
  readonly privacy?: 'personal' | 'identifying' | undefined
}

/** What somebody is called, wrote or owns: data about a person. */
export function personal<Value>(column: Column<Value>): Column<Value> {
  return { ...column, privacy: 'personal' }
}

/** What belongs to one person alone, so that it leads to that person wherever it stands: an address, a user name. */
export function identifying<Value>(column: Column<Value>): Column<Value> {
  return { ...column, privacy: 'identifying' }
}

/** A string. */
export function text(source?: Source): Column<string> {
  return { sqlType: 'text', source, cast: toText }
}

/** A string that people search by. An index entry must hold it, so one of more than 600 characters is cut. */
export function key(source?: Source): Column<string> {
  return { sqlType: 'text', source, cast: (value) => toText(value)?.slice(0, MAX_KEY).toWellFormed() ?? null }
}

/** A B-tree of Postgres refuses entries over 2,704 bytes, and a character has up to four. */
const MAX_KEY = 600

/** A string that names something; Clerk's billing events write `""` where they mean null. */
export function id(source?: Source): Column<string> {
  return { sqlType: 'text', source, cast: (value) => toText(value) || null }
}

export function boolean(source?: Source): Column<boolean> {
  return { sqlType: 'boolean', source, cast: (value) => (typeof value === 'boolean' ? value : null) }
}

export function integer(source?: Source): Column<number> {
  return { sqlType: 'integer', source, cast: (value) => (isInt32(value) ? value : null) }
}

/** A whole number of 64 bits, such as money in its smallest unit. JavaScript is exact up to 2^53; more becomes null. */
export function bigint(source?: Source): Column<number> {
  return {
    sqlType: 'bigint',
    source,
    cast: (value) => (Number.isSafeInteger(value) ? (value as number) : null),
  }
}

/** A time that Clerk gives in milliseconds. */
export function time(source?: Source): Column<Date> {
  return { sqlType: 'timestamptz', source, cast: toDate }
}

/** JSON to query. (`raw` keeps the exact text.) */
export function json<Shape = unknown>(source?: Source): Column<Shape> {
  return {
    sqlType: 'jsonb',
    source,
    cast: (value) => (value === undefined ? null : (toStorableJson(value) as Shape)),
  }
}

export type Columns = Readonly<Record<string, Column>>

/** A set inside a payload that has a table of its own and is replaced as a whole with its parent. */
export interface ChildSet<C extends Columns = Columns> {
  readonly table: string
  readonly description: string
  /** The payload's field that holds the set. */
  readonly field: string
  /** The column with the id of the resource that holds the set. */
  readonly parentColumn: string
  /** The fields that can tell the members of one parent's set apart, best first. */
  readonly identity: readonly string[]
  readonly columns: C
  /** Columns that people search by. */
  readonly indexes?: readonly string[]
}

/** A whole other resource inside a payload; it carries its own clock and passes the same guard. */
interface Embed {
  readonly resource: string
  /** Where the objects are in the payload. */
  readonly fields: readonly string[]
  /** The objects, each as complete as in an event of its own. Partial objects are not embeds: they would lose data. */
  readonly find: (data: Payload) => readonly Payload[]
}

/** How much of a payload is about a person: all of it, or these fields wherever they are in it. */
export type Share = 'all' | readonly string[]

/** Whom a resource is about, besides the users that it belongs to: by the columns that say so. */
interface PersonLinks {
  /** Columns with the id of a user. */
  readonly users?: Readonly<Record<string, Share>>
  /** Columns with an e-mail address or a phone number, of somebody who may not be a user yet. */
  readonly addresses?: Readonly<Record<string, Share>>
}

/** What an event means for its resource's row. */
export type Effect = 'upsert' | 'delete'

export interface Resource<C extends Columns = Columns> {
  readonly table: string
  /** One sentence for the schema page. */
  readonly description: string
  readonly events: Readonly<Partial<Record<EventType, Effect>>>
  /** Those of its types that Clerk sends no more: applied, never asked for. */
  readonly retired?: readonly EventType[]
  readonly columns: C
  /** Columns that people search by. */
  readonly indexes?: readonly string[]
  /** Columns that name a resource without which this one does not exist: its deletion deletes this too. */
  readonly parents?: Readonly<Record<string, string>>
  readonly person?: PersonLinks
  readonly children?: readonly ChildSet[]
  readonly embeds?: readonly Embed[]
  /** What in the payload must not be stored. */
  readonly secrets?: SecretFinder
  /** Where the payload says when the resource came to be. Default `created_at`. */
  readonly createdAt?: Source
  /** How the Backend API shows it. Absent: only events do. */
  readonly api?: ApiDescription
  /** How it ends by itself, without an event. */
  readonly expiry?: Expiry
  /** Which rows are forgotten a while after they were last written: all, or those that are not open any more. */
  readonly forgotten?: 'all' | 'ended'
}

/** An end without an event: when the time in a column has come. */
export interface Expiry {
  /** The statuses that can expire. */
  readonly open: readonly string[]
  /** The status after it, by the column that holds the time; the first whose time is over counts. */
  readonly ends: Readonly<Record<string, string>>
}

type ColumnName<C extends Columns> = keyof C & string

/** Keeps the exact types of columns and events, so that the types of tables and handlers follow from them. */
export function defineResource<const C extends Columns, const E extends Resource['events']>(
  resource: Resource<C> & {
    readonly events: E
    readonly indexes?: readonly ColumnName<C>[]
    readonly parents?: { readonly [column in ColumnName<C>]?: string }
  },
): Omit<Resource<C>, 'events'> & { readonly events: E } {
  return resource
}

/** As {@link defineResource}, for a set inside a resource. */
export function defineChildSet<const C extends Columns>(
  childSet: ChildSet<C> & { readonly indexes?: readonly ColumnName<C>[] },
): ChildSet<C> {
  return childSet
}

/** The values of a payload's columns. */
export function readColumns(columns: Columns, data: Payload): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { source = name, cast }]) => [name, cast(readSource(source, data))]),
  )
}

export function readSource(source: Source, data: Payload): unknown {
  return readerOf(source)(data)
}

/** A function that reads a source. */
export function readerOf(source: Source): (data: Payload) => unknown {
  if (typeof source === 'function') return source
  if (typeof source === 'string') return pathReader(source)
  const readers = source.map(pathReader)
  return (data) => {
    for (const read of readers) {
      const value = read(data)
      if (value !== undefined && value !== null) return value
    }
    return undefined
  }
}

function pathReader(path: string): (data: Payload) => unknown {
  if (!path.includes('.')) return (data) => data[path]
  const keys = path.split('.')
  return (data) => keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), data)
}

/**
 * Merges a partial state over the known one. Where a column can be read from several places, the new place replaces the
 * old one.
 */
export function complete({ columns }: Resource, known: Payload, shown: Payload): Payload {
  const merged = { ...known, ...shown }
  for (const { source } of Object.values(columns)) {
    if (!Array.isArray(source) || !source.some((path) => pathReader(path)(shown) !== undefined)) continue
    for (const path of source) if (!path.includes('.') && shown[path] === undefined) delete merged[path]
  }
  return merged
}

/** The members of a list in a payload; anything else counts as an empty one. */
export function listOf(value: unknown): Payload[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** As long as ids may be: an index entry must hold it. */
const MAX_IDENTITY = 255

/** The members of a set inside a payload, by the id of their row. */
export function membersOf(childSet: ChildSet, data: Payload): Map<string, Payload> {
  // Two members with one id would be one row: the last one, as in JSON itself.
  return new Map(
    listOf(data[childSet.field]).map((member, index) => [identityOf(childSet, member, index), member]),
  )
}

function identityOf(childSet: ChildSet, member: Payload, index: number): string {
  const identity = childSet.identity
    .map((field) => member[field])
    .find((value) => typeof value === 'string' && value)
  return identity === undefined ? String(index) : toStorableText(identity as string).slice(0, MAX_IDENTITY)
}

function toText(value: unknown): string | null {
  if (typeof value === 'string') return toStorableText(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

function isInt32(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31
}
