/**
 * An observation: what Clerk showed of one resource at one moment. Everything that changes a mirrored row comes as one,
 * whether from an event, from inside another resource's event, or from the Backend API.
 */

import { findEvent, RESOURCES } from '../clerk/catalogue.ts'
import { type ClerkEvent, instanceIdOf, toDate } from '../clerk/event.ts'
import type { Payload } from '../clerk/payloads.ts'
import { type Resource, readSource } from '../clerk/resource.ts'
import { type Redaction, redact } from '../clerk/secrets.ts'
import { toStorableText } from '../clerk/storable.ts'

export interface Observation {
  readonly resource: Resource
  readonly id: string
  /** The resource as Clerk shows it. Null for a deletion that carries nothing but the id. */
  readonly state: State | null
  /** Clerk said that the resource was deleted. */
  readonly isDeletion: boolean
  /** When Clerk showed it, by Clerk's clock for events. */
  readonly observedAt: Date
  readonly eventId: string | null
  readonly instanceId: string | null
}

export interface State {
  readonly data: Payload
  /** The JSON text of `data`. */
  readonly raw: Uint8Array
  /** The resource's own clock, if it has one. */
  readonly updatedAt: Date | null
}

/** What an event shows. */
export interface Source {
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
export function observe(source: Source): Observation[] {
  const found = findEvent(source.event.type)
  if (found === undefined) return []
  const primary = toObservation(source, found.resource, source.event.data as Payload, source.rawData)
  if (found.effect === 'delete') return [toDeletion(primary)]
  return [primary, ...embedded(source, found.resource)]
}

function embedded(source: Source, parent: Resource): Observation[] {
  return (parent.embeds ?? []).flatMap(({ resource, find }) =>
    find(source.event.data as Payload)
      // Without an id and a clock of its own it could not pass the guard.
      .filter((data) => typeof data.id === 'string' && data.id !== '' && toDate(data.updated_at) !== null)
      .map((data) => toObservation(source, RESOURCES.get(resource) as Resource, data)),
  )
}

function toObservation(source: Source, resource: Resource, data: Payload, raw?: Uint8Array): Observation {
  const redactions: Redaction[] = resource.secrets?.(data) ?? []
  const kept = redactions.length === 0 ? data : redact(data, redactions)
  return {
    resource,
    id: toStorableText(data.id as string),
    state: {
      data: kept,
      raw: raw !== undefined && kept === data ? raw : Buffer.from(JSON.stringify(kept)),
      updatedAt: toDate(data.updated_at),
    },
    isDeletion: false,
    observedAt: source.observedAt,
    eventId: source.eventId,
    instanceId: instanceIdOf(source.event),
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
    return typeof id === 'string' && id !== '' ? [{ table, id }] : []
  })
}
