/**
 * Regular maintenance: sums minutes to spans of ten, creates partitions ahead, and deletes data past its retention,
 * secrets of events first.
 */

import type { Database } from '../database/database.ts'
import type { EventPart } from '../database/event-parts.ts'
import { qualify } from '../database/identifier.ts'
import { makePartitions } from '../database/partitions.ts'
import { query } from '../database/query.ts'
import { forgetSecretsStatement } from '../database/secrets.ts'
import { MaintenanceLease } from './lease.ts'
import { Pace } from './pace.ts'
import { PartForgetting } from './parts.ts'
import { RETENTION_KINDS, type RetentionDays, type RetentionKind } from './policy.ts'
import { type RowKind, rowRules } from './rows.ts'
import { addUpSpans, COMMIT_GRACE_MINUTES } from './spans.ts'

export interface MaintainOptions {
  /** Only count what would be deleted. */
  readonly dryRun?: boolean | undefined
  /**
   * The maximum duration in seconds. The next call does the rest.
   * @default 300
   */
  readonly maxSeconds?: number | undefined
  /** Stops between two batches when aborted. */
  readonly signal?: AbortSignal | undefined
}

/** What was deleted of a kind, or would be. */
export interface Forgotten {
  /** Older data is deleted; null: kept for ever. */
  readonly before: Date | null
  /** How many rows. Of partitions over 64 MiB as many as Postgres' statistics tell. */
  readonly rows: number
  /** The disk space that is given back at once; that of single rows is used again by later ones. */
  readonly bytes: number
  /** How many are past their retention, but kept for unfinished runs. */
  readonly held: number
}

export interface MaintenanceResult {
  readonly isDryRun: boolean
  /** False: the time was up, or another session held a table; the next call continues. */
  readonly isComplete: boolean
  readonly forgotten: Readonly<Record<RetentionKind, Forgotten>>
  /** The partitions that were created ahead. */
  readonly partitions: readonly string[]
}

type Place = Pick<Database, 'queries' | 'schema'>

const MAX_SECONDS = 300
const PARTS = { eventBodies: 'event_bodies', changes: 'event_changes' } as const satisfies Partial<
  Record<RetentionKind, EventPart>
>

/** How long the partitions of each part are kept. */
export function partDays({ eventBodies, changes }: RetentionDays): Record<EventPart, number | null> {
  return { event_bodies: eventBodies, event_changes: changes }
}

/** What {@link maintain} would forget. */
export async function measure(place: Place, retention: RetentionDays): Promise<MaintenanceResult> {
  const cutoffs = await cutoffsOf(place, retention)
  const forgotten = await forEachKind(cutoffs, (kind, before) => measureKind(place, kind, before))
  return { isDryRun: true, isComplete: true, forgotten, partitions: [] }
}

/**
 * Runs maintenance in small batches.
 * @param restMs skip if the last run ended less than this ago
 * @returns null if another process holds the lock, or if it was skipped
 */
export async function maintain(
  place: Place,
  retention: RetentionDays,
  { maxSeconds = MAX_SECONDS, signal }: MaintainOptions,
  restMs = 0,
): Promise<MaintenanceResult | null> {
  const lease = await MaintenanceLease.take(place, restMs)
  if (lease === null) return null
  const pace = new Pace({ maxSeconds, signal, renew: () => lease.renew() })
  let isDone = false
  try {
    const { queries, schema } = place
    await query(queries, addUpSpans(schema))
    await query(queries, forgetSecretsStatement(schema, LEFT_OVER))
    await query(queries, `delete from ${qualify(schema, 'failure_mutes')} where until < now()`)
    const partitions = await makePartitions(queries, schema, partDays(retention))
    const cutoffs = await cutoffsOf(place, retention)
    const forgotten = await forEachKind(cutoffs, (kind, before) => forgetKind(place, kind, before, pace))
    isDone = pace.isComplete
    return { isDryRun: false, isComplete: isDone, forgotten, partitions }
  } finally {
    await lease.release(isDone)
  }
}

/** The last run of an event deletes its secrets; these were left by a crash. */
const LEFT_OVER = `event.secret_body is not null and event.received_at < now() - interval '${COMMIT_GRACE_MINUTES} minutes'`

type Cutoffs = Readonly<Record<RetentionKind, Date | null>>

/** By the database's clock, which is the one that everything is stored by. */
async function cutoffsOf({ queries }: Place, retention: RetentionDays): Promise<Cutoffs> {
  const [row] = await query<{ now: Date }>(queries, 'select now() as now')
  const { now } = row as { now: Date }
  const entries = RETENTION_KINDS.map((kind) => {
    const days = retention[kind]
    return [kind, days === null ? null : new Date(now.getTime() - days * 86_400_000)] as const
  })
  return Object.fromEntries(entries) as Cutoffs
}

/** Runs first: what they no longer need can go with the bodies. */
const ORDER: readonly RetentionKind[] = [
  'runs',
  'deadRuns',
  ...RETENTION_KINDS.filter((kind) => kind !== 'runs' && kind !== 'deadRuns'),
]

type Gone = Omit<Forgotten, 'before'>
const NOTHING: Gone = { rows: 0, bytes: 0, held: 0 }

async function forEachKind(
  cutoffs: Cutoffs,
  work: (kind: RetentionKind, before: Date) => Promise<Gone>,
): Promise<Record<RetentionKind, Forgotten>> {
  const forgotten = {} as Record<RetentionKind, Forgotten>
  for (const kind of ORDER) {
    const before = cutoffs[kind]
    forgotten[kind] = { before, ...(before === null ? NOTHING : await work(kind, before)) }
  }
  return forgotten
}

function isPart(kind: RetentionKind): kind is keyof typeof PARTS {
  return kind in PARTS
}

async function measureKind({ queries, schema }: Place, kind: RetentionKind, before: Date): Promise<Gone> {
  if (isPart(kind)) return new PartForgetting(queries, schema, PARTS[kind], before).measure()
  let rows = 0
  for (const { count } of rowRules(schema)[kind as RowKind]) {
    const [counted] = await query<{ count: number }>(queries, count, [before.toISOString()])
    rows += counted?.count ?? 0
  }
  return { ...NOTHING, rows }
}

async function forgetKind(
  { queries, schema }: Place,
  kind: RetentionKind,
  before: Date,
  pace: Pace,
): Promise<Gone> {
  if (isPart(kind)) return new PartForgetting(queries, schema, PARTS[kind], before).run(pace)
  let rows = 0
  for (const { remove } of rowRules(schema)[kind as RowKind]) {
    await pace.repeat(async (most) => {
      const [gone] = await query<{ count: number }>(queries, remove, [before.toISOString(), most])
      rows += gone?.count ?? 0
      return gone?.count ?? 0
    })
  }
  return { ...NOTHING, rows }
}
