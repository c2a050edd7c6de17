/**
 * From what a batch shows and what the database knows to what is written. Pure: the guard, the cascades and the outcomes
 * are here, and can be read and tested without a database.
 */

import { ALL_SOFT, type DeletionPolicies, type DeletionPolicy } from '../clerk/deletion.ts'
import { toDate } from '../clerk/event.ts'
import { together } from '../clerk/person.ts'
import type { Resource, Share } from '../clerk/resource.ts'
import { type Entry, withoutShareOfBody } from './entry.ts'
import { earliest, type Folded, fold, isSame, type StoredRow, type Tombstone } from './fold.ts'
import type { HandlerPort, NewRun, RecordedEvent } from './handler-port.ts'
import { erasedShare, exactlyShown, type Observation, parentsOf, withoutShare } from './observation.ts'
import {
  type Cascade,
  MAX_CASCADE,
  type Plan,
  type Repetition,
  type TablePlan,
  type Tombstoned,
  type Written,
} from './plan.ts'
import { byResource, childrenOf, type Notified, type Stored } from './read.ts'
import { happensOnce, type Notification, syntheticEvent } from './synthetic-event.ts'
import type { Receipt, Verdict } from './verdict.ts'

/** New deliveries: recorded, applied, and what follows for handlers. */
export function decideDeliveries(
  entries: readonly Entry[],
  stored: Stored,
  handlers: HandlerPort,
  deletion: DeletionPolicies = ALL_SOFT,
): { plan: Plan; receipts: Receipt[] } {
  const { first, again } = divide(entries, stored)
  const { plan, verdicts, shares } = decideRows(
    first.flatMap(({ observations }) => observations),
    stored,
    deletion,
  )
  const decided = withVerdicts(first, verdicts).map((each) => withoutErased(each, stored, shares))
  const receipts = new Map(decided.map(({ entry, verdict }, at) => [first[at], toReceipt(entry, verdict)]))
  return {
    plan: {
      ...plan,
      events: decided.map(({ entry, verdict }) => ({
        entry,
        verdict,
        source: 'webhook' as const,
        keepsSecrets: isOpen(verdict) && entry.type !== null && handlers.wants(entry.type),
      })),
      repetitions: again,
      runs: runsOf(decided, stored, handlers),
    },
    receipts: entries.map((entry) => receipts.get(entry) ?? duplicate(entry)),
  }
}

/** Recorded events, applied again. Those that were parked had no runs yet; all others have. */
export function decideReplay(
  entries: readonly Entry[],
  stored: Stored,
  handlers: HandlerPort,
  deletion: DeletionPolicies = ALL_SOFT,
): { plan: Plan; receipts: Receipt[] } {
  const { plan, verdicts, shares } = decideRows(
    entries.flatMap(({ observations }) => observations),
    stored,
    deletion,
  )
  const decided = withVerdicts(entries, verdicts).map((each) => withoutErased(each, stored, shares))
  const parked = decided.filter(({ entry }) => entry.recordedAs === 'parked')
  return {
    plan: {
      ...plan,
      outcomes: decided.map(({ entry, verdict }) => ({
        entry,
        verdict,
        keepsOutcome: entry.recordedAs === 'applied' || entry.recordedAs === 'stale',
      })),
      runs: runsOf(parked, stored, handlers),
    },
    receipts: decided.map(({ entry, verdict }) => toReceipt(entry, verdict)),
  }
}

/** Observations of the Backend API, and the synthetic events for changes without an event from Clerk. */
export function decideObservations(
  observations: readonly Observation[],
  stored: Stored,
  handlers: HandlerPort,
  deletion: DeletionPolicies,
  notification?: Notification,
): { plan: Plan; verdicts: Verdict[] } {
  const { plan, verdicts } = decideRows(observations, stored, deletion)
  const applied = observations.filter((_, index) => verdicts[index]?.outcome === 'applied')
  const events = notification
    ? applied.flatMap((each) => syntheticEvent(each, stored, plan.tables, notification, handlers) ?? [])
    : []
  const runs = events.flatMap(({ entry }) => handlers.runsFor(toRecordedEvent(entry)))
  return { plan: { ...plan, events, runs }, verdicts }
}

const NOTHING: Plan = {
  tables: [],
  cascades: [],
  pendingCascades: [],
  pendingVerifications: [],
  events: [],
  repetitions: [],
  outcomes: [],
  runs: [],
}

/** The same message twice in one batch: the second is a repetition of the first. */
function divide(entries: readonly Entry[], { recorded }: Stored) {
  const known = new Map(recorded)
  const first: Entry[] = []
  const again = new Map<string, Repetition>()
  for (const entry of entries) {
    const { svixId: id, body } = entry
    const hashOfFirst = known.get(id)
    if (hashOfFirst === undefined) {
      first.push(entry)
      known.set(id, body.sha256)
      continue
    }
    const before = again.get(id)
    const bodyConflict = before?.bodyConflict || !body.sha256.equals(hashOfFirst)
    again.set(id, { id, deliveries: (before?.deliveries ?? 0) + 1, bodyConflict })
  }
  return { first, again: [...again.values()] }
}

/** The first observation of an event decides its outcome. */
function withVerdicts(entries: readonly Entry[], verdicts: readonly Verdict[]) {
  let at = 0
  return entries.map((entry) => {
    const verdict = entry.verdict ?? (verdicts[at] as Verdict)
    at += entry.observations.length
    return { entry, verdict }
  })
}

type Decided = ReturnType<typeof withVerdicts>[number]

/** The entry without what it shows of people who were erased: its body is kept in part, or not at all. */
function withoutErased(decided: Decided, stored: Stored, shares: ReadonlyMap<Observation, Share>): Decided {
  if (!stored.hasErased) return decided
  const { entry, verdict } = decided
  const isMentioned = entry.mentioned.some(({ table, id }) => stored.isErased(table, id))
  const share = entry.observations
    .map((each) => shares.get(each) ?? null)
    .reduce<Share | null>(together, isMentioned ? 'all' : null)
  if (share === null) return decided
  const kept = { ...entry, body: withoutShareOfBody(entry.body, share) }
  const unchanged = { ...verdict, changes: null, exactChanges: undefined }
  return { entry: kept, verdict: share === 'all' ? { ...unchanged, ...ERASED } : unchanged }
}

/** What is parked waits for a version or a configuration that can use it; nothing follows from it until then. */
function isOpen({ outcome }: Verdict): boolean {
  return outcome !== 'parked'
}

function runsOf(decided: readonly Decided[], { notified }: Stored, handlers: HandlerPort): NewRun[] {
  return (
    decided
      .filter(({ entry, verdict }) => entry.type !== null && isOpen(verdict) && !wasNotified(entry, notified))
      // Nothing is left that a handler could be given.
      .filter(({ verdict }) => verdict.reason !== 'erased')
      .flatMap(({ entry }) => handlers.runsFor(toRecordedEvent(entry)))
  )
}

/** A synthetic event has already notified handlers of this one. */
function wasNotified({ type, resourceId, updatedAt }: Entry, notified: readonly Notified[]): boolean {
  return notified.some(
    (each) =>
      each.source !== 'webhook' &&
      each.resource_id === resourceId &&
      each.type === type &&
      (happensOnce(each.type) || each.occurred_at.getTime() === toDate(updatedAt)?.getTime()),
  )
}

function toRecordedEvent({ svixId, type, resourceId, occurredAt }: Entry): RecordedEvent {
  return { eventId: svixId, type: type as string, resourceId, occurredAt }
}

function toReceipt(entry: Entry, { outcome, reason, changes }: Verdict): Receipt {
  const { svixId, type, resource, resourceId } = entry
  return { svixId, type, resource, resourceId, outcome, reason, changes }
}

function duplicate({ svixId, type, resource, resourceId }: Entry): Receipt {
  return { svixId, type, resource, resourceId, outcome: 'duplicate', reason: null, changes: null }
}

/** Folds observations into the stored rows, parents before what belongs to them. */
function decideRows(
  observations: readonly Observation[],
  stored: Stored,
  deletion: DeletionPolicies,
): { plan: Plan; verdicts: Verdict[]; shares: ReadonlyMap<Observation, Share> } {
  const verdicts = new Map<Observation, Verdict>()
  const deletions = new Deletions(stored)
  const tables: TablePlan[] = []
  const shares = sharesOfErased(observations, stored)
  for (const [resource, all] of byResource(observations)) {
    const refused = all.filter((each) => shares.get(each) === 'all')
    for (const each of refused) verdicts.set(each, { ...ERASED, changes: null })
    const observed = refused.length > 0 ? all.filter((each) => !refused.includes(each)) : all
    const folded = foldTable(resource, observed, stored, deletions, shares)
    for (const { verdictOf } of folded) for (const [each, verdict] of verdictOf) verdicts.set(each, verdict)
    tables.push({
      ...planTable(resource, folded, deletion.get(resource.table)),
      ...planErased(resource, refused, stored, folded),
    })
  }
  const { cascades, pendingCascades } = deletions.cascades()
  return {
    plan: { ...NOTHING, tables, cascades, pendingCascades, pendingVerifications: lateRows(tables, stored) },
    verdicts: observations.map((each) => verdicts.get(each) as Verdict),
    shares,
  }
}

const ERASED = { outcome: 'stale', reason: 'erased' } as const

/** How much of each observation was erased; those of which nothing was are not in it. */
function sharesOfErased(observations: readonly Observation[], stored: Stored): Map<Observation, Share> {
  if (!stored.hasErased) return new Map()
  return new Map(
    observations.flatMap((each) => {
      const share = erasedShare(each, (table, id) => stored.isErased(table, id))
      return share === null ? [] : [[each, share] as const]
    }),
  )
}

interface FoldedRow {
  readonly id: string
  readonly folded: Folded
  readonly stored: StoredRow | undefined
  readonly instanceId: string | null
  readonly isNewlyDeleted: boolean
  readonly isErased: boolean
  readonly verdictOf: ReadonlyMap<Observation, Verdict>
}

function foldTable(
  resource: Resource,
  observed: readonly Observation[],
  stored: Stored,
  deletions: Deletions,
  shares: ReadonlyMap<Observation, Share>,
): FoldedRow[] {
  const byId = [...Map.groupBy(observed, ({ id }) => id)].sort(([a], [b]) => (a < b ? -1 : 1))
  return byId.map(([id, originals]) => {
    const observations = shares.size === 0 ? originals : originals.map((each) => reduced(each, shares))
    const row = stored.row(resource.table, id)
    requireReadable(row, resource, id)
    const folded = fold(row, observations, deletions.ofParents(observations))
    const isNewlyDeleted = folded.tombstone !== null && !isSame(folded.tombstone, row?.tombstone ?? null)
    deletions.decided(resource, id, folded.tombstone, isNewlyDeleted)
    return {
      id,
      folded,
      stored: row,
      instanceId: instanceOf(observations) ?? row?.instanceId ?? null,
      isNewlyDeleted,
      isErased: stored.isErased(resource.table, id),
      verdictOf: new Map(originals.map((each, at) => [each, folded.verdicts[at] as Verdict])),
    }
  })
}

function reduced(observation: Observation, shares: ReadonlyMap<Observation, Share>): Observation {
  const share = shares.get(observation)
  return share === undefined || share === 'all' ? observation : withoutShare(observation, share)
}

/** Somebody edited the row by hand: what it showed last cannot be compared with what comes now. */
function requireReadable(row: StoredRow | undefined, { table }: Resource, id: string): void {
  if (row?.version && row.version.raw.byteLength === 0)
    throw new Error(
      `${table} ${id} has lost its raw, so that nothing can be compared with it; a reconcile rewrites it`,
    )
}

/** The Backend API does not say which instance it shows. */
function instanceOf(observations: readonly Observation[]): string | null {
  return observations.find(({ instanceId }) => instanceId !== null)?.instanceId ?? null
}

function planTable(
  resource: Resource,
  all: readonly FoldedRow[],
  policy: DeletionPolicy | undefined,
): Omit<TablePlan, 'erased'> {
  const [gone, rows] = partition(all, (each) => isWithoutRow(each, policy))
  const [known, unknown] = partition(rows, ({ stored }) => stored !== undefined && !stored.isGone)
  return {
    resource,
    inserts: unknown.flatMap(writtenOf),
    updates: known.flatMap(writtenOf),
    tombstoned: known.filter(({ folded }) => !folded.newest).flatMap(tombstonedOf),
    neverSeen: unknown.filter(({ folded }) => !folded.newest).flatMap(tombstonedOf),
    removed: gone.flatMap((each) =>
      each.stored && !each.stored.isGone ? [toTombstoned(each)] : tombstonedOf(each),
    ),
    anonymised: policy === 'anonymise' ? rows.filter(isWrittenAsDeleted).map(({ id }) => id) : [],
    returned: unknown.flatMap(({ id, stored }) => (stored?.isGone ? [id] : [])),
  }
}

/** What was deleted by removing its row has none again, whatever the policy is by now. What was erased keeps its row. */
function isWithoutRow({ folded, stored, isErased }: FoldedRow, policy: DeletionPolicy | undefined): boolean {
  if (folded.tombstone === null || isErased) return false
  return policy === 'hard' || stored?.isGone === true
}

function isWrittenAsDeleted({ folded, isNewlyDeleted }: FoldedRow): boolean {
  return folded.tombstone !== null && (isNewlyDeleted || folded.newest !== null)
}

function writtenOf({ id, folded, stored, instanceId }: FoldedRow): Written[] {
  const { newest: observation, tombstone } = folded
  if (observation === null) return []
  const changed = instanceId === stored?.instanceId ? folded.changed : null
  return [{ id, observation, exact: exactlyShown(observation), tombstone, instanceId, changed }]
}

function tombstonedOf(each: FoldedRow): Tombstoned[] {
  return each.isNewlyDeleted ? [toTombstoned(each)] : []
}

function toTombstoned({ id, folded, instanceId }: FoldedRow): Tombstoned {
  return { id, tombstone: folded.tombstone as Tombstone, instanceId }
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))]
}

/**
 * What is refused because of somebody who was erased leaves an erased row, so that the next look at the same knows it by
 * its id. A row that a deletion makes in this very batch is left to the next one.
 */
function planErased(
  { table }: Resource,
  refused: readonly Observation[],
  stored: Stored,
  folded: readonly FoldedRow[],
): Pick<TablePlan, 'erased'> {
  if (refused.length === 0) return { erased: [] }
  const made = new Set(folded.map(({ id }) => id))
  const first = new Map(refused.filter(({ id }) => !made.has(id)).map((each) => [each.id, each]))
  const open = [...first.values()].filter(({ id }) => !stored.isErased(table, id))
  return { erased: open.map(({ id }) => id).sort() }
}

/** The sweep would have made the row, had Clerk still had it. */
function lateRows(tables: readonly TablePlan[], stored: Stored): Plan['pendingVerifications'] {
  return tables.flatMap(({ resource: { table }, inserts }) =>
    inserts.flatMap(({ id, observation, tombstone, instanceId }) => {
      const sweptAt = stored.sweptAt(table, instanceId)
      const isLate = sweptAt !== undefined && observation.observedAt < sweptAt
      return isLate && tombstone === null ? [{ table, id }] : []
    }),
  )
}

/** Which parents are deleted: by what is stored, or by this batch. */
class Deletions {
  readonly #stored: Stored
  /** Null: this batch shows that it is alive. */
  readonly #decided = new Map<string, Tombstone | null>()
  readonly #new: { resource: Resource; id: string; tombstone: Tombstone }[] = []

  constructor(stored: Stored) {
    this.#stored = stored
  }

  decided(resource: Resource, id: string, tombstone: Tombstone | null, isNew: boolean): void {
    this.#decided.set(`${resource.table} ${id}`, tombstone)
    if (isNew && tombstone) this.#new.push({ resource, id, tombstone })
  }

  /** The earliest tombstone among a resource's parents. */
  ofParents(observations: readonly Observation[]): Tombstone | null {
    return observations
      .flatMap(parentsOf)
      .map(({ table, id }) => this.#of(table, id))
      .reduce(earliest, null)
  }

  #of(table: string, id: string): Tombstone | null {
    const decided = this.#decided.get(`${table} ${id}`)
    return decided === undefined ? (this.#stored.tombstone(table, id) ?? null) : decided
  }

  /** What new deletions go on to: at once as far as it is little, else by a job. */
  cascades(): Pick<Plan, 'cascades' | 'pendingCascades'> {
    const cascades: Cascade[] = []
    const pendingCascades: Cascade[] = []
    let rows = 0
    for (const { resource: parent, id, tombstone } of this.#new) {
      for (const { resource, column } of childrenOf(parent)) {
        const dependants = this.#stored.dependants(resource, column, id)
        // None can come before the commit: who writes one waits for the lock of the family.
        if (dependants === 0) continue
        rows += dependants ?? 0
        const cascade = { resource, column, parentTable: parent.table, parentId: id, tombstone }
        ;(rows > MAX_CASCADE ? pendingCascades : cascades).push(cascade)
      }
    }
    return { cascades, pendingCascades }
  }
}
