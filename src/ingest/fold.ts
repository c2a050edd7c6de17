/**
 * Folds what a batch shows of one resource into its stored row. Pure: the heart of the guard.
 *
 * Whatever the order of arrival, the row ends with the newest state, and a deletion stays. A deleted row still takes
 * newer states, because a deletion often arrives before the last update: the row then shows the resource as it was.
 */

import { isDeepStrictEqual } from 'node:util'
import { exactPayload, mayBeRounded, textOf } from '../clerk/exact-json.ts'
import { complete, type Resource } from '../clerk/resource.ts'
import type { Change } from '../database/tables.ts'
import type { Observation, State } from './observation.ts'
import type { Verdict } from './verdict.ts'
import { compareVersions, isHashed, type Version } from './version.ts'

/** A deletion, and the event that brought it. */
export interface Tombstone {
  readonly deletedAt: Date
  readonly eventId: string | null
}

/** A row as it is stored, locked for this transaction. */
export interface StoredRow {
  readonly version: Version | null
  readonly tombstone: Tombstone | null
  readonly instanceId: string | null
  /** The row is gone from its table: a hard deletion left its tombstone alone. */
  readonly isGone?: boolean
}

export interface Folded {
  /** The state to write, if it is newer than the stored one. */
  readonly newest: Observation | null
  readonly tombstone: Tombstone | null
  /** The fields in which the newest state differs from the stored one; null if any may differ. */
  readonly changed: ReadonlySet<string> | null
  /** In the order of `observations`. */
  readonly verdicts: readonly Verdict[]
}

/**
 * A look sooner after a deletion proves nothing: Clerk's API may be a little behind its events, and the time of a look
 * a second ahead. The next reconcile looks again.
 */
const REFUTES_AFTER_MS = 10_000

const APPLIED: Verdict = { outcome: 'applied', reason: null, changes: null }

/** @param parentTombstone the tombstone of a parent, which the resource inherits */
export function fold(
  stored: StoredRow | undefined,
  observations: readonly Observation[],
  parentTombstone: Tombstone | null,
): Folded {
  const deletion = earliest(stored?.tombstone ?? null, parentTombstone)
  const verdicts = new Map<Observation, Verdict>()
  let newest: Observation | null = null
  let version = stored?.version ?? null
  let tombstone = deletion

  for (const observation of [...observations].sort(byVersion)) {
    const next = versionOf(observation)
    const order = next && version ? compareVersions(next, version) : 1
    const lifts = order > 0 && parentTombstone === null && refutes(observation, tombstone)
    verdicts.set(
      observation,
      lifts ? restored(tombstone as Tombstone) : judge(observation, order, version, deletion),
    )
    if (next && order > 0) {
      newest = observation.isPartial && isWhole(version) ? completed(observation, version) : observation
      version = versionOf(newest)
    }
    if (lifts) tombstone = null
    if (observation.isDeletion) tombstone = earliest(tombstone, deletionOf(observation))
  }
  const inOrder = observations.map((each) => verdicts.get(each) as Verdict)
  const isAlive = stored?.version && deletion === null && tombstone === null
  return { newest, tombstone, changed: isAlive ? changedFields(inOrder) : null, verdicts: inOrder }
}

/** Of a resource that was not deleted in between: then its states were compared one by one. */
function changedFields(verdicts: readonly Verdict[]): ReadonlySet<string> | null {
  const applied = verdicts.filter(({ outcome }) => outcome === 'applied')
  const fields = new Set(applied.flatMap(({ changes }) => Object.keys(changes ?? {})))
  return fields.has('deleted_at') ? null : fields
}

/** Clerk was asked for it by id after its deletion, and showed it: then it was none. */
function refutes({ isConfirmed, isDeletion, observedAt }: Observation, tombstone: Tombstone | null): boolean {
  if (!isConfirmed || isDeletion || tombstone === null) return false
  return observedAt.getTime() - tombstone.deletedAt.getTime() >= REFUTES_AFTER_MS
}

function restored({ deletedAt }: Tombstone): Verdict {
  return { ...APPLIED, changes: { deleted_at: { from: deletedAt.toISOString(), to: null } } }
}

function isWhole(version: Version | null): version is Version {
  return version !== null && !isHashed(version.raw)
}

/** Merges a partial state over the known one. */
function completed(observation: Observation, known: Version): Observation {
  const state = observation.state as State
  return { ...observation, state: { ...state, ...merged(observation.resource, known.raw, state.raw) } }
}

function merged(resource: Resource, below: Uint8Array, above: Uint8Array): Pick<State, 'data' | 'raw'> {
  const text = JSON.stringify(complete(resource, exactPayload(below), exactPayload(above)))
  return { data: JSON.parse(text), raw: Buffer.from(text) }
}

function judge(
  observation: Observation,
  order: number,
  before: Version | null,
  deletion: Tombstone | null,
): Verdict {
  if (observation.isDeletion) return { ...APPLIED, changes: deletion ? null : deletionChange(observation) }
  if (deletion) return { outcome: 'stale', reason: 'resource_deleted', changes: null }
  if (before === null || order === 0) return APPLIED
  const changes = changesBetween(before, observation.state as State)
  if (order > 0) return { ...APPLIED, ...changes }
  // The row may have come to this very state by another way, e.g. a permission by the role that holds it.
  return changes === null ? APPLIED : { outcome: 'stale', reason: 'older_than_row', changes: null }
}

function deletionChange({ observedAt }: Observation): Record<string, Change> {
  return { deleted_at: { from: null, to: observedAt.toISOString() } }
}

/** The fields in which Clerk's JSON differs, or null. */
function changesBetween(before: Version, after: State): Pick<Verdict, 'changes' | 'exactChanges'> | null {
  const isRounded = mayBeRounded(before.raw) || mayBeRounded(after.raw)
  const [from, to] = isRounded
    ? [exactPayload(before.raw), exactPayload(after.raw)]
    : [JSON.parse(textOf(before.raw)), after.data]
  const fields = new Set([...Object.keys(from), ...Object.keys(to)])
  const changed = [...fields].filter((field) => !isDeepStrictEqual(from[field], to[field]))
  if (changed.length === 0) return null
  const changes = Object.fromEntries(
    changed.map((field) => [field, { from: from[field] ?? null, to: to[field] ?? null }]),
  )
  if (!isRounded) return { changes }
  const exactChanges = Buffer.from(JSON.stringify(changes))
  return mayBeRounded(exactChanges)
    ? { changes: JSON.parse(textOf(exactChanges)), exactChanges }
    : { changes }
}

function versionOf({ state, observedAt }: Observation): Version | null {
  return state && { updatedAt: state.updatedAt, observedAt, raw: state.raw }
}

/** Oldest first; bare deletions last, so that what was updated before it counts as applied. */
function byVersion(a: Observation, b: Observation): number {
  const [left, right] = [versionOf(a), versionOf(b)]
  if (left && right) return compareVersions(left, right)
  return left ? -1 : right ? 1 : 0
}

function deletionOf({ observedAt, eventId }: Observation): Tombstone {
  return { deletedAt: observedAt, eventId }
}

/** Several events can report one deletion (the organization's, then the membership's): the earliest time counts. */
export function earliest(a: Tombstone | null, b: Tombstone | null): Tombstone | null {
  if (a === null || b === null) return a ?? b
  const order = a.deletedAt.getTime() - b.deletedAt.getTime()
  return order < 0 || (order === 0 && (a.eventId ?? '') <= (b.eventId ?? '')) ? a : b
}

export function isSame(a: Tombstone, b: Tombstone | null): boolean {
  return b !== null && a.deletedAt.getTime() === b.deletedAt.getTime() && a.eventId === b.eventId
}
