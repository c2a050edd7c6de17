/**
 * Bulk actions on runs: retry, discard, or run a handler for existing data.
 *
 * Each is a job: its runs are counted and fixed first, its rate is limited, its progress is visible, and another
 * process can resume it.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { type SelectQueryBuilder, sql, type Transaction } from 'kysely'
import { RESOURCES } from '../clerk/catalogue.ts'
import { isFor } from '../clerk/event-patterns.ts'
import { timeAfterNow } from '../database/clock.ts'
import type { Database } from '../database/database.ts'
import { all, eventConditions, FAILING, type RunFilter, runConditions } from '../database/filter.ts'
import { qualify } from '../database/identifier.ts'
import { JobStore } from '../database/jobs.ts'
import { query } from '../database/query.ts'
import type { ClerkTables, Outcome, RunStatus } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import { createSyntheticEvents } from '../ingest/synthetic.ts'
import { requireDates, requireNumbers } from '../validate.ts'
import type { HandlerDefinition } from './handler.ts'
import type { RunKey } from './run.ts'
import type { Runs, Unit } from './runs.ts'

export interface BulkOptions {
  /**
   * The maximum number of runs per second.
   * @default 20
   */
  readonly perSecond?: number | undefined
  /** Stops after this many consecutive failures. */
  readonly stopAfterFailures?: number | undefined
  /** Why; kept with each run. */
  readonly note?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: BulkProgress) => void) | undefined
}

export interface BulkProgress {
  /** How many runs matched when it began. */
  readonly matched: number
  /** How many were processed. */
  readonly seen: number
  /** How many were changed; the others had changed meanwhile. */
  readonly changed: number
}

export interface BulkResult extends BulkProgress {
  readonly jobId: string
  /** `incomplete` if it stopped because its runs kept failing. */
  readonly status: 'complete' | 'incomplete' | 'aborted'
}

/** The existing data that a handler runs for. */
export type Past =
  /** Recorded events, by when they were received. */
  | { readonly since: Date; readonly until?: Date | undefined }
  /** Rows as they are now, of resources that exist: each stands for an event of its own. */
  | { readonly existing: string }

/** The last run, event or row that was seen. */
type Position = readonly string[]

/** The next batch after a position. */
type Step = (unit: Unit, after: Position | null, most: number) => Promise<StepResult>

interface StepResult {
  /** Null at the end. */
  readonly at: Position | null
  readonly seen: number
  readonly changed: readonly RunKey[]
}

/** What a job does. */
interface Work {
  readonly kind: 'retry' | 'discard' | 'handle'
  readonly scope: object
  readonly matched: number
  readonly step: Step
}

/** The work of one transaction, independent of the rate. */
const MAX_STEP = 200
const DEFAULT_RATE = 20
/** What failed may be tried again or discarded; what succeeded is done. */
const OPEN: readonly RunStatus[] = ['pending', 'retrying', 'dead']

export class Bulk {
  readonly #database: Database
  readonly #runs: Runs
  readonly #jobs: JobStore

  constructor(database: Database, runs: Runs) {
    this.#database = database
    this.#runs = runs
    this.#jobs = new JobStore(database.queries, database.schema, database.telemetry)
  }

  async count(filter: RunFilter): Promise<number> {
    requireDates({ since: filter.since, until: filter.until })
    const { count } = await this.#database.queries
      .selectFrom('handler_runs')
      .select((select) => sql<number>`${select.fn.countAll()}::integer`.as('count'))
      .where(all(runConditions(filter, this.#database.schema)))
      .executeTakeFirstOrThrow()
    return count
  }

  /** Retries failed runs from their first attempt. */
  retry(filter: RunFilter, options: BulkOptions): Promise<BulkResult> {
    return this.#change('retry', { statuses: FAILING, ...filter }, options, (unit, keys) =>
      this.#runs.reopen(unit, keys, options.note ?? null),
    )
  }

  /** Discards runs. */
  discard(filter: RunFilter, options: BulkOptions): Promise<BulkResult> {
    return this.#change('discard', { statuses: OPEN, ...filter }, options, (unit, keys) =>
      this.#runs.discard(unit, keys, options.note ?? null),
    )
  }

  /** Runs a handler for existing data, once for each event or row that it has not run for. */
  async handlePast(definition: HandlerDefinition, past: Past, options: BulkOptions): Promise<BulkResult> {
    if (!('existing' in past)) requireDates({ since: past.since, until: past.until })
    const scope = { handler: definition.name, ...past }
    const source =
      'existing' in past ? this.#rows(definition, past.existing) : await this.#events(definition, past)
    return this.#asJob({ kind: 'handle', scope, ...source, matched: await source.count() }, options)
  }

  async #change(
    kind: 'retry' | 'discard',
    filter: RunFilter,
    options: BulkOptions,
    change: (unit: Unit, keys: readonly RunKey[]) => Promise<RunKey[]>,
  ): Promise<BulkResult> {
    // Later failures are not part of it.
    const scope = { ...filter, until: filter.until ?? (await timeAfterNow(this.#database.queries)) }
    const step: Step = async (unit, after, most) => {
      const rows = await runsAfter(unit.trx, this.#database.schema, scope, after, most)
      const changed = await change(
        unit,
        rows.map(({ event_id, handler }) => ({ eventId: event_id, handler })),
      )
      return {
        at: positionAfter(rows, most, (row) => [row.at, row.event_id, row.handler]),
        seen: rows.length,
        changed,
      }
    }
    return this.#asJob({ kind, scope, matched: await this.count(scope), step }, options)
  }

  /** The events that a handler is for, of a time. */
  async #events({ name, patterns, isOrdered }: HandlerDefinition, past: Extract<Past, { since: Date }>) {
    const { queries } = this.#database
    const meant = eventConditions({
      types: patterns,
      outcomes: NOT_PARKED,
      since: past.since,
      until: past.until ?? (await timeAfterNow(queries)),
    })
    const step: Step = async (unit, after, most) => {
      let events = unit.trx.selectFrom('events').where(all(meant)).where('type', 'is not', null)
      if (after)
        events = events.where(sql<boolean>`(received_at, id) > (${after[0]}::timestamptz, ${after[1]})`)
      const rows = await events
        .select(['id', 'type', 'resource_id', 'occurred_at', sql<string>`received_at::text`.as('at')])
        .orderBy('received_at')
        .orderBy('id')
        .limit(most)
        .execute()
      const runs = rows.map((row) => ({
        eventId: row.id,
        handler: name,
        orderKey: isOrdered ? row.resource_id : null,
        occurredAt: row.occurred_at,
      }))
      return {
        at: positionAfter(rows, most, (row) => [row.at, row.id]),
        seen: rows.length,
        changed: await this.#runs.add(unit, runs),
      }
    }
    return { step, count: () => countRows(queries.selectFrom('events').where(all(meant))) }
  }

  /** The rows of a resource that exist and that the handler has not run for yet. */
  #rows({ name, patterns, isOrdered }: HandlerDefinition, resource: string) {
    const { queries, schema } = this.#database
    const type = eventFor(resource, patterns, name)
    const open = sql<boolean>`deleted_at is null and raw is not null`
    const step: Step = async (unit, after, most) => {
      const rows = await query<{ id: string; is_new: boolean }>(
        unit.trx,
        existingStatement(schema, resource),
        [after?.[0] ?? '', most, name],
      )
      const ids = rows.filter((row) => row.is_new).map((row) => row.id)
      const events = await createSyntheticEvents(unit.trx, schema, {
        resource,
        ids,
        type,
        source: 'existing',
      })
      const runs = events.map((event) => ({
        ...event,
        handler: name,
        orderKey: isOrdered ? event.resourceId : null,
      }))
      return {
        at: positionAfter(rows, most, (row) => [row.id]),
        seen: rows.length,
        changed: await this.#runs.add(unit, runs),
      }
    }
    return { step, count: () => countRows(queries.selectFrom(resource as 'users').where(open)) }
  }

  async #asJob({ kind, scope, matched, step }: Work, options: BulkOptions): Promise<BulkResult> {
    const { perSecond = DEFAULT_RATE, stopAfterFailures, note, signal, onProgress } = options
    requireNumbers(options, { perSecond: 'rate', stopAfterFailures: 'count' })
    const asked = { ...scope, pace: { perSecond, stopAfterFailures, note } }
    // Never resumes an earlier job: its set of runs is outdated.
    const job = await this.#jobs.begin({ kind, scope: asked, isFresh: true, signal })
    const stop = signal ? AbortSignal.any([signal, job.lost]) : job.lost
    const most = Math.max(1, Math.min(MAX_STEP, Math.floor(perSecond)))
    const latest: RunKey[] = []
    let [at, seen, changed]: [Position | null, number, number] = [null, 0, 0]
    const state = () => ({ checkpoint: at, progress: { matched, seen, changed }, report: null })
    const goOn = async (): Promise<BulkResult['status']> => {
      do {
        if (stop.aborted) return 'aborted'
        if (stopAfterFailures && (await this.#keepFailing(latest, stopAfterFailures))) return 'incomplete'
        const result = await this.#runs.inTransaction((unit) => step(unit, at, most))
        ;[at, seen, changed] = [result.at, seen + result.seen, changed + result.changed.length]
        latest.push(...result.changed)
        latest.splice(0, latest.length - (stopAfterFailures ?? 0))
        await job.save(state())
        onProgress?.({ matched, seen, changed })
        const pauseMs = (result.changed.length / perSecond) * 1_000
        if (at) await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined)
      } while (at)
      return 'complete'
    }
    try {
      const status = await goOn()
      await job.end(status, state())
      return { jobId: job.id, status, matched, seen, changed }
    } catch (error) {
      // A run that lost its job must not end it.
      if (!job.lost.aborted) await job.end('failed', state(), error)
      throw error
    }
  }

  /** Whether the latest runs have all failed again. */
  async #keepFailing(latest: readonly RunKey[], count: number): Promise<boolean> {
    if (latest.length < count) return false
    return (await this.#runs.countFailing(latest)) === count
  }
}

const NOT_PARKED: readonly Outcome[] = ['applied', 'stale', 'ignored', 'failed']

interface RunRow {
  readonly event_id: string
  readonly handler: string
  /** As text: a Date would lose the microseconds. */
  readonly at: string
}

function runsAfter(
  trx: Transaction<ClerkTables>,
  schema: string,
  filter: RunFilter,
  after: Position | null,
  most: number,
): Promise<RunRow[]> {
  let runs = trx.selectFrom('handler_runs').where(all(runConditions(filter, schema)))
  if (after) {
    runs = runs.where(
      sql<boolean>`(created_at, event_id, handler) > (${after[0]}::timestamptz, ${after[1]}, ${after[2]})`,
    )
  }
  return runs
    .select(['event_id', 'handler', sql<string>`created_at::text`.as('at')])
    .orderBy('created_at')
    .orderBy('event_id')
    .orderBy('handler')
    .limit(most)
    .execute()
}

/** Null if these were the last. */
function positionAfter<Row>(
  rows: readonly Row[],
  most: number,
  toPosition: (row: Row) => Position,
): Position | null {
  const last = rows.at(-1)
  return last === undefined || rows.length < most ? null : toPosition(last)
}

/** $1 the last id seen, $2 how many, $3 handler → id, and whether the handler has not run for that row's resource yet */
function existingStatement(schema: string, resource: string): string {
  return `
    select row.id, not exists (
      select from ${qualify(schema, 'events')} as event
      join ${qualify(schema, 'handler_runs')} as run on run.event_id = event.id and run.handler = $3
      where event.resource_id = row.id
    ) as is_new
    from ${qualify(schema, resource)} as row
    where row.id > $1 and row.deleted_at is null and row.raw is not null
    order by row.id limit $2`
}

/** The synthetic event type for an existing row, among those of the handler: preferably its creation. */
function eventFor(resource: string, patterns: readonly string[], handler: string): string {
  const events = Object.entries(RESOURCES.get(resource)?.events ?? {})
  const types = events.flatMap(([type, effect]) =>
    effect === 'upsert' && isFor(patterns, type) ? [type] : [],
  )
  const type = types.find((each) => each.endsWith('.created')) ?? types[0]
  if (type !== undefined) return type
  throw new ClerkSyncError(
    'option_invalid',
    `${handler} is for no event that a row of ${resource} could stand for`,
  )
}

async function countRows<Table>(
  query: SelectQueryBuilder<ClerkTables, Table & keyof ClerkTables, object>,
): Promise<number> {
  const { count } = await query.select(sql<number>`count(*)::integer`.as('count')).executeTakeFirstOrThrow()
  return count
}
