/** A delivery as the ledger takes it: everything known without the database, read once. */

import { hash } from 'node:crypto'
import { findEvent, RESOURCES, secretsIn } from '../clerk/catalogue.ts'
import {
  type ClerkEvent,
  type Delivery,
  instanceIdOf,
  occurredAt,
  type ParkReason,
  readContent,
} from '../clerk/event.ts'
import { rewriteJson } from '../clerk/exact-json.ts'
import type { Payload } from '../clerk/payloads.ts'
import { type Mention, resourcesIn, usersIn, withoutFields } from '../clerk/person.ts'
import type { Privacy } from '../clerk/privacy.ts'
import type { Effect, Resource, Share } from '../clerk/resource.ts'
import { redact } from '../clerk/secrets.ts'
import { toStorableText } from '../clerk/storable.ts'
import { messageOf } from '../database/failure.ts'
import type { Outcome } from '../database/tables.ts'
import type { Reason } from '../explanations/reasons.ts'
import { type Observation, observe, type Parent } from './observation.ts'
import type { Verdict } from './verdict.ts'

/** Which events are applied at all. */
export interface Admission {
  /** The tables that are kept. */
  readonly resources: ReadonlySet<string>
  /** The Clerk instances whose events are applied; empty means any. */
  readonly instanceIds: ReadonlySet<string>
  /** Undefined if everything is stored. */
  readonly privacy?: Privacy | undefined
}

export interface Entry {
  readonly svixId: string
  /** Null if the body is no event. */
  readonly type: string | null
  readonly resource: string | null
  readonly resourceId: string | null
  readonly instanceId: string | null
  readonly occurredAt: Date
  /** The `updated_at` of the event's resource. */
  readonly updatedAt: unknown
  readonly body: KeptBody
  /** To apply; the first one decides the outcome. */
  readonly observations: readonly Observation[]
  /** The users that it is about, if it is not applied: of those who were erased, no body is kept. */
  readonly mentioned: readonly Parent[]
  /** The outcome of an event that is not applied. */
  readonly verdict: Verdict | null
  /** The span of its delivery, if it is traced. */
  readonly traceparent?: string | null | undefined
  /** The outcome that it was recorded with, if it is replayed. */
  readonly recordedAs?: Outcome | undefined
}

/** What is stored of a body. */
interface KeptBody {
  /** Null if it could not be read, so that nobody knows whether it holds secrets. */
  readonly bytes: Uint8Array | null
  /** Of `bytes`: a hash of the whole body would give a short code away. */
  readonly sha256: Buffer
  /** The whole body, if secrets were removed from it. */
  readonly withSecrets: Uint8Array | null
}

/** A delivery read back from the ledger. */
export type RecordedDelivery = Delivery & { readonly outcome: Outcome }

/** Reads a delivery. Never throws: what our own code cannot read is recorded as failed, and holds up nobody. */
export function readEntry(whole: Delivery, admission: Admission): Entry {
  let delivery = whole
  try {
    if (admission.privacy) delivery = keptOf(whole, admission.privacy)
    const facts = identify(delivery)
    return { ...facts, body: keptBody(delivery), ...admit(delivery, facts.occurredAt, admission) }
  } catch (error) {
    return refused(unreadable(delivery), error)
  }
}

/** As if Clerk had sent no more than is stored. */
function keptOf(delivery: Delivery, privacy: Privacy): Delivery {
  if (delivery.event === null) return delivery
  const event = privacy.event(delivery.event)
  if (event === delivery.event) return delivery
  const rawBody = rewriteJson(delivery.rawBody, delivery.event, (each) => privacy.event(each))
  return { ...delivery, ...readContent(rawBody), rawBody } as Delivery
}

/** The entry, to be recorded as one that could not be applied. */
export function refused(entry: Entry, error: unknown, reason: Reason = 'internal_fault'): Entry {
  const message = toStorableText(messageOf(error)).slice(0, MAX_ERROR_LENGTH)
  const mentioned = [...entry.mentioned, ...entry.observations.flatMap(usersOf)]
  return {
    ...entry,
    observations: [],
    mentioned,
    verdict: { outcome: 'failed', reason, changes: null, error: message },
  }
}

const MAX_ERROR_LENGTH = 2_000

function usersOf({ resource, state }: Observation): Parent[] {
  return state === null ? [] : toUsers(usersIn(resource, state.data))
}

function toUsers(mentions: readonly Mention[]): Parent[] {
  return mentions.map(({ value: id }) => ({ table: 'users', id }))
}

/** Its body may hold secrets, which only who could read it would find. */
function unreadable({ svixId, rawBody, attemptedAt }: Delivery): Entry {
  return {
    ...UNKNOWN,
    svixId,
    occurredAt: attemptedAt,
    body: { bytes: null, sha256: hash('sha256', rawBody, 'buffer'), withSecrets: rawBody },
    observations: [],
    mentioned: [],
    verdict: null,
  }
}

const UNKNOWN = { type: null, resource: null, resourceId: null, instanceId: null, updatedAt: undefined }

/** The resource of a delivery, if it can be determined. */
function identify({ svixId, event, attemptedAt }: Delivery) {
  if (event === null) return { ...UNKNOWN, svixId, occurredAt: attemptedAt }
  return {
    svixId,
    type: toStorableText(event.type),
    resource: findEvent(event.type)?.resource.table ?? null,
    resourceId: toStorableText(event.data.id),
    instanceId: instanceIdOf(event),
    occurredAt: occurredAt(event, attemptedAt),
    updatedAt: event.data.updated_at,
  }
}

function keptBody({ event, rawBody }: Delivery): KeptBody {
  const secrets = event ? secretsIn(event) : []
  const withoutSecrets = ({ data, ...rest }: ClerkEvent) => ({ ...rest, data: redact(data, secrets) })
  const hasSecrets = event !== null && secrets.length > 0
  const bytes = hasSecrets ? rewriteJson(rawBody, event, withoutSecrets) : rawBody
  return { bytes, sha256: hash('sha256', bytes, 'buffer'), withSecrets: hasSecrets ? rawBody : null }
}

/** Decides whether a delivery is applied, and reads its observations. */
function admit(
  delivery: Delivery,
  observedAt: Date,
  { resources, instanceIds }: Admission,
): Pick<Entry, 'observations' | 'mentioned' | 'verdict'> {
  const { event } = delivery
  if (event === null) return notApplied('parked', delivery.unusable)
  if (isForeign(event, instanceIds)) return notApplied('parked', 'instance_mismatch', event)
  const found = findEvent(event.type)
  if (found === undefined) return notApplied('parked', 'unknown_type')
  const isKept = resources.has(found.resource.table)
  if (!isKept && !isDeletionOfParent(found, resources))
    return notApplied('ignored', 'resource_disabled', event)
  const observations = observe({ event, rawData: delivery.rawData, eventId: delivery.svixId, observedAt })
  return {
    verdict: null,
    mentioned: [],
    // Of what is not kept, only that it is gone.
    observations: isKept
      ? observations.filter((each) => resources.has(each.resource.table))
      : observations.map((each) => ({ ...each, state: null })),
  }
}

/** What is kept of a body of which a share was erased. The hash stays that of the whole, so that a repetition fits it. */
export function withoutShareOfBody({ bytes, sha256, withSecrets }: KeptBody, share: Share): KeptBody {
  if (share === 'all') return { bytes: null, sha256, withSecrets: null }
  const reduce = (body: Uint8Array | null) => body && withoutFieldsOfEvent(body, share)
  return { bytes: reduce(bytes), sha256, withSecrets: reduce(withSecrets) }
}

/** The event in a body without some fields, and without where the request came from. */
export function withoutFieldsOfEvent(body: Uint8Array, fields: readonly string[]): Uint8Array | null {
  const { event } = readContent(body)
  if (event === null) return null
  return rewriteJson(body, event, ({ event_attributes: _, ...rest }) => ({
    ...rest,
    data: withoutFields(rest.data, fields),
  }))
}

function notApplied(
  outcome: 'parked' | 'ignored',
  reason: ParkReason | 'resource_disabled',
  event?: ClerkEvent,
) {
  const mentioned = event ? usersInEvent(event) : []
  return { observations: [], mentioned, verdict: { outcome, reason, changes: null } }
}

function usersInEvent({ type, data }: ClerkEvent): Parent[] {
  const found = findEvent(type)
  // A deletion shows nothing but an id.
  if (found === undefined || data.updated_at === undefined) return []
  return resourcesIn(found.resource, data as Payload).flatMap((each) =>
    toUsers(usersIn(each.resource, each.data)),
  )
}

/** Messages from before February 2025 carry no instance. */
function isForeign(event: ClerkEvent, instanceIds: ReadonlySet<string>): boolean {
  const instanceId = instanceIdOf(event)
  return instanceIds.size > 0 && instanceId !== null && !instanceIds.has(instanceId)
}

/** A deletion goes on to what belongs to the deleted resource, so that some table must know of it. */
function isDeletionOfParent(
  { resource, effect }: { resource: Resource; effect: Effect },
  kept: ReadonlySet<string>,
): boolean {
  if (effect !== 'delete') return false
  return [...kept].some((each) => Object.values(RESOURCES.get(each)?.parents ?? {}).includes(resource.table))
}
