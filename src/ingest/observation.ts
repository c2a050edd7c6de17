/**
 * An observation: what Clerk showed of one resource at one moment. Everything that changes a mirrored row comes as one,
 * whether from an event, from inside another resource's event, or from the Backend API.
 */

import type { Item } from '../clerk/api/reply.ts'
import { findEvent, RESOURCES } from '../clerk/catalogue.ts'
import { type ClerkEvent, instanceIdOf, toDate } from '../clerk/event.ts'
import { rewriteJson, unrounded } from '../clerk/exact-json.ts'
import type { Payload } from '../clerk/payloads.ts'
import { together, usersIn, withoutFields } from '../clerk/person.ts'
import type { Privacy } from '../clerk/privacy.ts'
import { type Resource, readSource, type Share } from '../clerk/resource.ts'
import { type Redaction, redact } from '../clerk/secrets.ts'
import { toStorableText } from '../clerk/storable.ts'

export interface Observation {
  readonly resource: Resource
  readonly id: string
  /** The resource as Clerk shows it. Null for a deletion that carries nothing but the id. */
  readonly state: State | null
  /** Clerk said that the resource was deleted. */
  readonly isDeletion: boolean
  /** When Clerk showed it: the time of the event, or of the request to the Backend API, by Clerk's clock. */
  readonly observedAt: Date
  /** The event that showed it, or the job that asked for it. */
  readonly eventId: string | null
  readonly instanceId: string | null
  /** The Backend API was asked for this one by id: that it exists then refutes a deletion well before. */
  readonly isConfirmed?: boolean
  /** What `state` does not have keeps the value it had. */
  readonly isPartial?: boolean
}

export interface State {
  readonly data: Payload
  /** The JSON text of `data`. */
  readonly raw: Uint8Array
  /** The resource's own clock, if it has one. */
  readonly updatedAt: Date | null
}

/** What it shows, with the digits of its numbers. */
export function exactlyShown({ state }: Observation): Payload {
  return state === null ? {} : unrounded(state.raw, state.data)
}

/** Where observations come from. */
interface Source {
  readonly observedAt: Date
  readonly eventId: string | null
  readonly instanceId: string | null
  readonly isConfirmed?: boolean
}

/** Where an answer of the Backend API comes from, and what is stored of it. */
interface ItemSource extends Source {
  readonly privacy: Privacy | undefined
}

/** An event, as it was delivered. */
export interface EventSource {
  readonly event: ClerkEvent
  readonly rawData: Uint8Array
  readonly eventId: string
  readonly observedAt: Date
}

/**
 * The observations in an event: the resource it is about first, then the whole resources inside it.
 *
 * An event of an unknown type shows nothing.
 */
export function observe({ event, rawData, eventId, observedAt }: EventSource): Observation[] {
  const found = findEvent(event.type)
  if (found === undefined) return []
  const source = { eventId, observedAt, instanceId: instanceIdOf(event) }
  const data = event.data as Payload
  const primary = toObservation(source, found.resource, data, asSent(data, rawData))
  if (found.effect === 'delete') return [toDeletion(primary)]
  return [primary, ...embedded(source, found.resource, data, rawData)]
}

/** The observations in what the Backend API showed, in the same order. */
export function observeItem(
  { privacy, ...source }: ItemSource,
  resource: Resource,
  item: Item,
): Observation[] {
  const { data, raw } = privacy ? keptOf(item, resource, privacy) : item
  const all = [
    toObservation(source, resource, data, asSent(data, raw)),
    ...embedded(source, resource, data, raw),
  ]
  return all.map((each) => ({ ...each, isPartial: (each.resource.api?.shape ?? 'same') !== 'same' }))
}

/** As if Clerk had shown no more than is stored. */
function keptOf(item: Item, resource: Resource, privacy: Privacy): Pick<Item, 'data' | 'raw'> {
  if (privacy.data(resource, item.data) === item.data) return item
  const raw = rewriteJson(item.raw, item.data, (data) => privacy.data(resource, data))
  return { raw, data: JSON.parse(raw.toString()) }
}

function embedded(source: Source, parent: Resource, data: Payload, raw: Uint8Array): Observation[] {
  if (parent.embeds === undefined) return []
  const { isConfirmed: _, ...unconfirmed } = source
  const exact = unrounded(raw, data)
  return parent.embeds.flatMap(({ resource: table, find }) => {
    const resource = RESOURCES.get(table) as Resource
    const sent = find(exact)
    const rawOf = (at: number) => (redactions: readonly Redaction[]) =>
      Buffer.from(JSON.stringify(redact(sent[at] as Payload, redactions)))
    return find(data).flatMap((inner, at) =>
      canPass(inner) ? [toObservation(unconfirmed, resource, inner, rawOf(at))] : [],
    )
  })
}

/** Without an id and a clock of its own it could not pass the guard. */
function canPass({ id, updated_at }: Payload): boolean {
  return typeof id === 'string' && id !== '' && toDate(updated_at) !== null
}

/** The text of a payload without its secrets, with the digits of what was sent. */
type Raw = (redactions: readonly Redaction[]) => Uint8Array

function asSent(data: Payload, raw: Uint8Array): Raw {
  return (redactions) =>
    redactions.length === 0 ? raw : rewriteJson(raw, data, (value) => redact(value, redactions))
}

function toObservation(source: Source, resource: Resource, data: Payload, rawOf: Raw): Observation {
  const redactions = resource.secrets?.(data) ?? []
  return {
    ...source,
    resource,
    id: toStorableText(data.id as string),
    state: {
      data: redact(data, redactions),
      raw: rawOf(redactions),
      updatedAt: toDate(data.updated_at),
    },
    isDeletion: false,
  }
}

/** Deletions of memberships bring the whole membership; the others an id, which is not a state. */
function toDeletion(observation: Observation): Observation {
  const isWhole = observation.state?.updatedAt !== null
  return { ...observation, isDeletion: true, state: isWhole ? observation.state : null }
}

/** What the resource belongs to. */
export interface Parent {
  readonly table: string
  readonly id: string
}

export function parentsOf({ resource, state }: Observation): Parent[] {
  if (state === null || resource.parents === undefined) return []
  return Object.entries(resource.parents).flatMap(([column, table]) => {
    const id = readSource(resource.columns[column]?.source ?? column, state.data)
    // As in the parent's own row: the raw id would neither match it nor be a text that Postgres takes.
    return typeof id === 'string' && id !== '' ? [{ table, id: toStorableText(id) }] : []
  })
}

/** What the resource belongs to or is about: if one of these was erased, it is erased too, or a part of it. */
export function linksOf(observation: Observation): Parent[] {
  const { resource, state } = observation
  const parents = parentsOf(observation)
  if (state === null || resource.person?.users === undefined) return parents
  return [...parents, ...usersIn(resource, state.data).map(({ value: id }) => ({ table: 'users', id }))]
}

/** Which part of an observation's resource was erased, or null. */
export function erasedShare(
  observation: Observation,
  isErased: (table: string, id: string) => boolean,
): Share | null {
  const { resource, id, state } = observation
  if (state === null) return null
  if (isErased(resource.table, id)) return 'all'
  if (parentsOf(observation).some((parent) => isErased(parent.table, parent.id))) return 'all'
  if (resource.person?.users === undefined) return null
  return usersIn(resource, state.data)
    .filter(({ value }) => isErased('users', value))
    .reduce<Share | null>((all, { share }) => together(all, share), null)
}

/** The observation without a share of it that was erased. */
export function withoutShare(observation: Observation, fields: readonly string[]): Observation {
  const state = observation.state as State
  const data = withoutFields(state.data, fields)
  const raw = rewriteJson(state.raw, state.data, (each) => withoutFields(each, fields))
  return { ...observation, state: { ...state, data, raw } }
}
