/** How far a backfill or reconcile is, and what it found. All of it is JSON: it is kept in `jobs`. */

import type { ApiMeter } from '../clerk/api/client.ts'
import { RESOURCES } from '../clerk/catalogue.ts'
import type { Drift, DriftKind } from './compare.ts'

/** The state of the sweep of one resource. */
export type SweepStatus =
  | 'waiting'
  | 'running'
  /** Everything that Clerk lists was seen, and written where it was needed. */
  | 'complete'
  /** It came to its end, but fewer were seen than Clerk counts, or some could not be written. */
  | 'incomplete'
  /** The feature is switched off in Clerk: there is nothing to see, and nothing is deleted for it. */
  | 'disabled'
  | 'failed'

/** The progress of the sweep of one resource. */
export interface SweepProgress extends ApiMeter {
  status: SweepStatus
  /** The total that Clerk reports; null if it reports none. */
  expected: number | null
  /** How many Clerk has shown. */
  listed: number
  /** How many rows were written; with a dry run, how many would be. */
  written: number
  /** How many rows were right already. */
  unchanged: number
  /** How many rows were newer than what was shown, and kept. */
  skipped: number
  /** How many rows the database refused. */
  failed: number
  /** How many rows were marked as deleted because Clerk no longer has them; in a dry run, how many would be. */
  deleted: number
  /** When its first page was asked for, by Clerk's clock. */
  startedAt: string | null
  /** How long it took so far, in milliseconds. */
  ms: number
  /** Whether everything was looked at, or only what changed since the last sweep. */
  isFull: boolean
  /** Why it is not complete. */
  error: { code: string; message: string } | null
}

export function newProgress(): SweepProgress {
  return {
    status: 'waiting',
    expected: null,
    listed: 0,
    written: 0,
    unchanged: 0,
    skipped: 0,
    failed: 0,
    deleted: 0,
    startedAt: null,
    ms: 0,
    isFull: true,
    error: null,
    requests: 0,
    throttled: 0,
    throttledMs: 0,
  }
}

/** A row that the database refused to change. */
export interface RefusedRepair {
  readonly id: string
  /** What the database said. */
  readonly error: string
}

/** Counts a row that the database refused to change. */
export function noteRefusal(progress: SweepProgress, { id, error }: RefusedRepair): void {
  progress.failed++
  progress.error ??= { code: 'rejected_by_database', message: `${id}: ${error}` }
}

/** The likely cause of a difference from Clerk. */
export type Cause =
  /** No event arrived: it was not sent, not delivered, or refused. */
  | 'no_event'
  /** An event did, and the database refused it. */
  | 'event_failed'
  /** An event did, and it was parked or ignored. */
  | 'event_not_applied'
  /** The row was changed or removed by somebody else. */
  | 'edited'

/** A row that differs, or differed, from Clerk. */
export interface FoundDrift {
  readonly resource: string
  readonly id: string
  readonly kind: DriftKind
  readonly fields: readonly string[]
  readonly cause: Cause
}

/** What differed, in numbers, and the first rows of it. */
export interface DriftReport {
  /** How many rows differed. */
  total: number
  /** How many others differed only in counts or copies, for which Clerk sends no event. */
  refreshed: number
  /** By resource: how many of each kind, with each cause, and in each field. */
  resources: Record<string, DriftCounts>
  /** The first 200. */
  readonly first: FoundDrift[]
}

export interface DriftCounts {
  readonly kinds: Record<string, number>
  readonly causes: Record<string, number>
  readonly fields: Record<string, number>
}

const MAX_SHOWN = 200

export function newReport(): DriftReport {
  return { total: 0, refreshed: 0, resources: {}, first: [] }
}

/** Adds a difference to a report. */
export function addDrift(
  report: DriftReport,
  resource: string,
  id: string,
  drift: Drift,
  cause: Cause,
): void {
  report.resources[resource] ??= { kinds: {}, causes: {}, fields: {} }
  const counts = report.resources[resource]
  if (drift.kind === 'refreshed' || !hasEvents(resource)) report.refreshed++
  else report.total++
  count(counts.kinds, drift.kind)
  count(counts.causes, cause)
  for (const field of drift.fields) count(counts.fields, field)
  if (report.first.length < MAX_SHOWN) report.first.push({ resource, id, ...drift, cause })
}

/** A table without events is updated by sweeps alone, so that a stale row is no sign of a fault. */
function hasEvents(resource: string): boolean {
  return Object.keys(RESOURCES.get(resource)?.events ?? {}).length > 0
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
