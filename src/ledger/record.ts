/**
 * The request path's transaction: record deliveries, apply them, and say what became of each.
 *
 * An event's row is written once, at the end, with its outcome. Two servers with the same delivery both apply it, which
 * is harmless, but only one inserts the row: for the other it was a duplicate.
 */

import { hash } from 'node:crypto'
import type { Transaction } from 'kysely'
import { findEvent, RESOURCES, withoutSecrets } from '../clerk/catalogue.ts'
import { type ClerkEvent, type Delivery, instanceIdOf, occurredAt, type ParkReason } from '../clerk/event.ts'
import type { Resource } from '../clerk/resource.ts'
import { toStorableText } from '../clerk/storable.ts'
import { messageOf } from '../database/failure.ts'
import { query } from '../database/query.ts'
import type { Change, ClerkTables, Outcome, Reason } from '../database/tables.ts'
import type { Apply } from './apply.ts'
import { type Row, withRows } from './arrays.ts'
import { Bytes } from './bytes.ts'
import type { FollowUp } from './follow-up.ts'
import { type Observation, observe } from './observation.ts'
import { type EventStatements, eventStatements } from './statements.ts'
import { type LateEvent, withoutTold } from './telling.ts'

/** Which message a receipt is about. */
interface Identity {
  readonly svixId: string
  /** Null if the body was no event. */
  readonly type: string | null
  /** The table it is about; null for a type that this version does not know. */
  readonly resource: string | null
  readonly resourceId: string | null
}

/** What became of a delivery. */
export interface Receipt extends Identity {
  readonly outcome: Outcome | 'duplicate'
  readonly reason: Reason | null
  /** The fields that the event changed, with what they were before. */
  readonly changes: Record<string, Change> | null
}

/** Which events are applied at all. */
export interface Admission {
  /** The tables that are kept. */
  readonly resources: ReadonlySet<string>
  /** The Clerk instances whose events are applied; empty means any. */
  readonly instanceIds: ReadonlySet<string>
}

/** A delivery with what is to be done about it. */
interface Entry {
  readonly delivery: Delivery
  readonly identity: Identity
  /** To apply; the first one decides the outcome. */
  readonly observations: readonly Observation[]
  /** The outcome of what is not applied. */
  readonly verdict: Verdict | null
}

interface Verdict {
  readonly outcome: Outcome
  readonly reason: Reason | null
  readonly changes: Record<string, Change> | null
  readonly error?: string
}

interface Decided {
  readonly entry: Entry
  readonly verdict: Verdict
}

export class Recorder {
  readonly #schema: string
  readonly #statements: EventStatements
  readonly #apply: Apply
  readonly #admission: Admission
  readonly #followUp: FollowUp

  constructor(schema: string, apply: Apply, admission: Admission, followUp: FollowUp) {
    this.#schema = schema
    this.#statements = eventStatements(schema)
    this.#apply = apply
    this.#admission = admission
    this.#followUp = followUp
  }

  /** Records and applies deliveries. Receipts come in the order of the deliveries. */
  async record(trx: Transaction<ClerkTables>, deliveries: readonly Delivery[]): Promise<Receipt[]> {
    const { first, again } = await this.#findDuplicates(trx, deliveries)
    const recorded = await this.#insert(trx, await this.#decide(trx, first))
    await this.#countDuplicates(trx, again)
    return deliveries.map((delivery) => recorded.get(delivery) ?? this.#duplicate(delivery))
  }

  /** Records a delivery that the database refuses to apply. */
  async recordFailure(trx: Transaction<ClerkTables>, delivery: Delivery, error: unknown): Promise<Receipt> {
    const recorded = await this.#insert(trx, [this.#failed(delivery, error)])
    return recorded.get(delivery) ?? this.#duplicate(delivery)
  }

  /** Applies recorded deliveries again. What was applied or stale before keeps that outcome: it happened. */
  async replay(trx: Transaction<ClerkTables>, deliveries: readonly RecordedDelivery[]): Promise<Receipt[]> {
    const decided = await this.#decide(trx, deliveries)
    // What was parked had nothing following from it; everything else has had that when it was recorded.
    await this.#follow(
      trx,
      decided.filter((_, at) => deliveries[at]?.outcome === 'parked'),
    )
    return this.#update(trx, deliveries, decided)
  }

  /** Notes that a recorded delivery could not be applied this time either. */
  async replayFailure(
    trx: Transaction<ClerkTables>,
    delivery: RecordedDelivery,
    error: unknown,
  ): Promise<Receipt> {
    const [receipt] = await this.#update(trx, [delivery], [this.#failed(delivery, error)])
    return receipt as Receipt
  }

  async #findDuplicates(trx: Transaction<ClerkTables>, deliveries: readonly Delivery[]) {
    const ids = deliveries.map((delivery) => delivery.svixId)
    const recorded = await query<RecordedRow>(trx, this.#statements.findRecorded, [ids])
    const known = new Map<string, () => Buffer>(
      recorded.map((row) => [row.id, () => Buffer.from(row.body_sha256)]),
    )
    const first: Delivery[] = []
    const again: Repetition[] = []
    for (const delivery of deliveries) {
      const { svixId } = delivery
      const hashOfFirst = known.get(svixId)
      if (hashOfFirst)
        again.push({ id: svixId, body_conflict: !hashOfFirst().equals(keptBody(delivery).sha256) })
      else first.push(delivery)
      // The same message twice in one batch: the second is a repetition of the first.
      if (!hashOfFirst) known.set(svixId, () => keptBody(delivery).sha256)
    }
    return { first, again }
  }

  async #decide(trx: Transaction<ClerkTables>, deliveries: readonly Delivery[]): Promise<Decided[]> {
    const entries = deliveries.map((delivery) => admit(delivery, this.#admission))
    const observations = entries.flatMap((entry) => entry.observations)
    const verdicts = await this.#apply(trx, observations)
    const verdictOf = new Map(observations.map((observation, index) => [observation, verdicts[index]]))
    return entries.map((entry) => ({
      entry,
      verdict: entry.verdict ?? (verdictOf.get(entry.observations[0] as Observation) as Verdict),
    }))
  }

  async #insert(trx: Transaction<ClerkTables>, decided: readonly Decided[]): Promise<Map<Delivery, Receipt>> {
    if (decided.length === 0) return new Map()
    const bytes = new Bytes()
    const rows = decided.map((each) => eventRow(each, this.#followUp, bytes))
    const { text, parameters } = withRows(this.#statements.insert, rows, bytes)
    const results = await query<InsertedRow>(trx, text, parameters)
    // PGlite can report success for a statement that failed inside it; a row that does not come back was not stored.
    if (results.length !== decided.length) throw new Error('the database did not store every event')
    const inserted = new Set(results.filter((row) => row.inserted).map((row) => row.id))
    const recorded = decided.filter(({ entry }) => inserted.has(entry.delivery.svixId))
    await this.#follow(trx, recorded)
    return new Map(recorded.map((each) => [each.entry.delivery, toReceipt(each)]))
  }

  /** Unless an event that stood for this one, when it did not come, was followed already. */
  async #follow(trx: Transaction<ClerkTables>, recorded: readonly Decided[]): Promise<void> {
    const events = await withoutTold(trx, this.#schema, recordedEvents(recorded), this.#followUp)
    await this.#followUp.recorded(trx, events)
  }

  async #countDuplicates(trx: Transaction<ClerkTables>, repetitions: readonly Repetition[]): Promise<void> {
    if (repetitions.length === 0) return
    const rows = [...Map.groupBy(repetitions, ({ id }) => id)].map(([id, again]) => ({
      id,
      deliveries: again.length,
      body_conflict: again.some((repetition) => repetition.body_conflict),
    }))
    await query(trx, this.#statements.countDuplicates, [JSON.stringify(rows)])
  }

  async #update(
    trx: Transaction<ClerkTables>,
    deliveries: readonly RecordedDelivery[],
    decided: readonly Decided[],
  ): Promise<Receipt[]> {
    const bytes = new Bytes()
    const open = decided.filter((_, index) => !isSettled(deliveries[index] as RecordedDelivery))
    await query(trx, this.#statements.replayed, [deliveries.map((delivery) => delivery.svixId)])
    await query(trx, this.#statements.update, [
      JSON.stringify(open.map((each) => outcomeRow(each, bytes))),
      bytes.toBuffer(),
    ])
    return decided.map(toReceipt)
  }

  #failed(delivery: Delivery, error: unknown): Decided {
    const verdict = { outcome: 'failed', reason: 'rejected_by_database', changes: null } as const
    return {
      entry: admit(delivery, this.#admission),
      verdict: { ...verdict, error: toStorableText(messageOf(error)).slice(0, MAX_ERROR_LENGTH) },
    }
  }

  #duplicate(delivery: Delivery): Receipt {
    return { ...identify(delivery), outcome: 'duplicate', reason: null, changes: null }
  }
}

const MAX_ERROR_LENGTH = 2_000

/** A delivery read back from the ledger. */
export type RecordedDelivery = Delivery & { readonly outcome: Outcome }

function isSettled({ outcome }: RecordedDelivery): boolean {
  return outcome === 'applied' || outcome === 'stale'
}

interface Repetition {
  readonly id: string
  readonly body_conflict: boolean
}

interface RecordedRow {
  id: string
  body_sha256: Uint8Array
}

interface InsertedRow {
  id: string
  inserted: boolean
}

/** What a delivery is about, as far as it can be told. */
function identify({ svixId, event }: Delivery): Identity {
  return {
    svixId,
    type: event && toStorableText(event.type),
    resource: (event && findEvent(event.type)?.resource.table) ?? null,
    resourceId: event && toStorableText(event.data.id),
  }
}

/** Decides whether a delivery is to be applied, and reads what it shows. */
function admit(delivery: Delivery, { resources, instanceIds }: Admission): Entry {
  const { event } = delivery
  const entry = { delivery, identity: identify(delivery), observations: [] }
  if (event === null) return { ...entry, verdict: parked(delivery.unusable) }
  if (isForeign(event, instanceIds)) return { ...entry, verdict: parked('instance_mismatch') }
  const found = findEvent(event.type)
  if (found === undefined) return { ...entry, verdict: parked('unknown_type') }
  const { resource, effect } = found
  const isKept = resources.has(resource.table)
  if (!isKept && !(effect === 'delete' && isParentOfKept(resource, resources))) {
    return { ...entry, verdict: { outcome: 'ignored', reason: 'resource_disabled', changes: null } }
  }
  const observations = observe({
    event,
    rawData: delivery.rawData,
    eventId: delivery.svixId,
    observedAt: occurredAt(event, delivery.attemptedAt),
  })
  return {
    ...entry,
    // Of what is not kept, only that it is gone.
    observations: isKept
      ? observations.filter((each) => resources.has(each.resource.table))
      : observations.map((each) => ({ ...each, state: null })),
    verdict: null,
  }
}

/** A deletion goes on to what belongs to the deleted resource, so that some table must know of it. */
function isParentOfKept({ table }: Resource, kept: ReadonlySet<string>): boolean {
  return [...kept].some((each) => Object.values(RESOURCES.get(each)?.parents ?? {}).includes(table))
}

function parked(reason: ParkReason): Verdict {
  return { outcome: 'parked', reason, changes: null }
}

/** Messages from before February 2025 carry no instance. */
function isForeign(event: ClerkEvent, instanceIds: ReadonlySet<string>): boolean {
  const instanceId = instanceIdOf(event)
  return instanceIds.size > 0 && instanceId !== null && !instanceIds.has(instanceId)
}

function eventRow(decided: Decided, followUp: FollowUp, bytes: Bytes): Row {
  const { event, rawBody } = decided.entry.delivery
  const { body, sha256, redacted } = keptBody(decided.entry.delivery)
  const areSecretsNeeded =
    redacted && isOpen(decided) && followUp.wants(decided.entry.identity.type as string)
  return {
    ...outcomeRow(decided, bytes),
    instance_id: event && instanceIdOf(event),
    occurred_at: timeOf(decided.entry.delivery),
    redacted,
    ...bytes.add('body', body),
    ...bytes.add('sha256', sha256),
    ...bytes.add('secret', areSecretsNeeded ? rawBody : null),
  }
}

function timeOf({ event, attemptedAt }: Delivery): Date {
  return event ? occurredAt(event, attemptedAt) : attemptedAt
}

/** What is parked waits for a version or a configuration that can use it; nothing follows from it until then. */
function isOpen({ verdict }: Decided): boolean {
  return verdict.outcome !== 'parked'
}

function recordedEvents(decided: readonly Decided[]): LateEvent[] {
  return decided.filter(isOpen).map(({ entry: { delivery, identity } }) => ({
    eventId: identity.svixId,
    type: identity.type as string,
    resourceId: identity.resourceId,
    occurredAt: timeOf(delivery),
    updatedAt: delivery.event?.data.updated_at,
  }))
}

function outcomeRow({ entry, verdict }: Decided, bytes: Bytes): object {
  const { svixId, type, resource, resourceId } = entry.identity
  const { changes, ...outcome } = verdict
  return {
    id: svixId,
    type,
    resource,
    resource_id: resourceId,
    ...outcome,
    ...bytes.add('changes', changes && Buffer.from(JSON.stringify(changes))),
  }
}

function toReceipt({ entry, verdict: { outcome, reason, changes } }: Decided): Receipt {
  return { ...entry.identity, outcome, reason, changes }
}

/** What is stored of a body. The hash is of that too: one of the whole body would give a short code away. */
function keptBody({ event, rawBody }: Delivery) {
  const kept = event && withoutSecrets(event)
  const body = kept ? Buffer.from(JSON.stringify(kept)) : rawBody
  return { body, sha256: hash('sha256', body, 'buffer'), redacted: Boolean(kept) }
}
