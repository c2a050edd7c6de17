/** What is written of a batch: the answer of `decide.ts`, in terms of rows. */

import type { Payload } from '../clerk/payloads.ts'
import type { Resource } from '../clerk/resource.ts'
import type { Entry } from './entry.ts'
import type { Tombstone } from './fold.ts'
import type { NewRun } from './handler-port.ts'
import type { Observation } from './observation.ts'
import type { Verdict } from './verdict.ts'

/** Rows that a deletion takes along within its own transaction; more of them are left to a job. */
export const MAX_CASCADE = 1_000

export interface Plan {
  readonly tables: readonly TablePlan[]
  readonly cascades: readonly Cascade[]
  /** Deletions with more dependants than one statement should change: a job continues them. */
  readonly pendingCascades: readonly Cascade[]
  /** Rows that appeared although a later sweep did not find them: Clerk is asked for each. */
  readonly pendingVerifications: readonly { readonly table: string; readonly id: string }[]
  readonly events: readonly NewEvent[]
  readonly repetitions: readonly Repetition[]
  /** New outcomes of replayed events. */
  readonly outcomes: readonly ReplayedEvent[]
  readonly runs: readonly NewRun[]
}

/** What is written into the table of a resource. */
export interface TablePlan {
  readonly resource: Resource
  readonly inserts: readonly Written[]
  readonly updates: readonly Written[]
  /** Deletions that show no newer state: of rows that are there, and of resources that were never seen alive. */
  readonly tombstoned: readonly Tombstoned[]
  readonly neverSeen: readonly Tombstoned[]
  /** Deletions that leave a tombstone, and no row. */
  readonly removed: readonly Tombstoned[]
  /** Rows that are written as deleted: what they say of people goes. */
  readonly anonymised: readonly string[]
  /** Resources with a tombstone and no row that Clerk has after all. */
  readonly returned: readonly string[]
  /** Rows of somebody who was erased, which are not erased yet. */
  readonly erased: readonly string[]
}

/** A row's new state. */
export interface Written {
  readonly id: string
  readonly observation: Observation
  /** What the observation shows, with the digits of its numbers. */
  readonly exact: Payload
  readonly tombstone: Tombstone | null
  readonly instanceId: string | null
  /** The fields of Clerk's JSON that are not as they are stored; null if any may differ. */
  readonly changed: ReadonlySet<string> | null
}

export interface Tombstoned {
  readonly id: string
  readonly tombstone: Tombstone
  readonly instanceId: string | null
}

/** The deletion of a parent goes on to the rows that name it. */
export interface Cascade {
  readonly resource: Resource
  readonly column: string
  readonly parentTable: string
  readonly parentId: string
  readonly tombstone: Tombstone
}

export interface NewEvent {
  readonly entry: Entry
  readonly verdict: Verdict
  readonly source: 'webhook' | 'backfill' | 'reconcile'
  /** Handlers need the body with its secrets. */
  readonly keepsSecrets: boolean
}

export interface Repetition {
  readonly id: string
  readonly deliveries: number
  readonly bodyConflict: boolean
}

interface ReplayedEvent {
  readonly entry: Entry
  readonly verdict: Verdict
  /** What was applied or stale before keeps that outcome: it happened. */
  readonly keepsOutcome: boolean
}
