/** What people do with handlers: see them, pause them, try failed runs again. `sync.handlers` */

import type { Kysely } from 'kysely'
import type { ClerkTables } from '../database/tables.ts'
import type { Bulk, BulkOptions, BulkResult, Past } from './bulk.ts'
import type { HandlerDefinition } from './handler.ts'
import type { Registry } from './registry.ts'
import type { RunKey } from './run.ts'
import type { RunFilter } from './run-filter.ts'
import type { Runs } from './runs.ts'

/** A handler, as people see it. */
export interface HandlerInfo {
  readonly name: string
  /** Which events it is for. */
  readonly patterns: readonly string[]
  /** Since when its runs wait; null if they do not. */
  readonly pausedAt: Date | null
  readonly pauseReason: string | null
}

/** What people do with handlers. */
export interface HandlerControl {
  /** The handlers that are registered here. */
  readonly definitions: readonly HandlerDefinition[]
  /** The same with what is remembered of them. */
  list(): Promise<HandlerInfo[]>
  /**
   * Lets a handler's runs wait. What runs already goes on.
   * @throws {ClerkSyncError} `handler_unknown`
   */
  pause(name: string, reason?: string): Promise<void>
  /**
   * Lets them go on.
   * @throws {ClerkSyncError} `handler_unknown`
   */
  resume(name: string): Promise<void>
  /** How many runs a filter means. */
  count(filter: RunFilter): Promise<number>
  /**
   * Tries runs again, from their first try on: those that failed, if the filter does not say otherwise. Those whose events
   * lost their secrets meanwhile can be counted first: `count({ …filter, secretsForgotten: true })`.
   *
   * @example
   * await sync.handlers.retry({ handlers: ['syncCrm'], statuses: ['dead'] }, { note: 'after the CRM fix' })
   */
  retry(filter: RunFilter, options?: BulkOptions): Promise<BulkResult>
  /** Retries one run now, in any state. False if there is no such run, or if it is running. */
  retryOne(run: RunKey, note?: string): Promise<boolean>
  /** Decides that runs need not succeed: those that wait or failed, if the filter does not say otherwise. */
  discard(filter: RunFilter, options?: BulkOptions): Promise<BulkResult>
  /**
   * Runs a handler for what was there before it, once for each event or row that it has not run for.
   *
   * @example
   * await sync.handlers.run('welcome', { existing: 'users' })
   *
   * @throws {ClerkSyncError} `handler_unknown`, `option_invalid`, `job_running`
   */
  run(name: string, past: Past, options?: BulkOptions): Promise<BulkResult>
}

export interface ControlParts {
  readonly queries: Kysely<ClerkTables>
  readonly registry: Registry
  readonly runs: Runs
  readonly bulk: Bulk
}

const WAKE_PAGE = 1_000

/** @param prepare makes sure that the tables and the engine are there, and returns what works with them */
export function createControl(
  registry: () => Registry,
  prepare: () => Promise<ControlParts>,
): HandlerControl {
  return {
    get definitions() {
      return registry().definitions
    },
    list: async () => list(await prepare()),
    pause: async (name, reason) => pause(await prepare(), name, reason ?? null),
    resume: async (name) => resume(await prepare(), name),
    count: async (filter) => (await prepare()).bulk.count(filter),
    retry: async (filter, options = {}) => (await prepare()).bulk.retry(filter, options),
    retryOne: async (run, note) => retryOne(await prepare(), run, note ?? null),
    discard: async (filter, options = {}) => (await prepare()).bulk.discard(filter, options),
    run: async (name, past, options = {}) => {
      const { bulk, registry } = await prepare()
      return bulk.handlePast(registry.get(name), past, options)
    },
  }
}

async function list({ queries, registry }: ControlParts): Promise<HandlerInfo[]> {
  const rows = await queries.selectFrom('handlers').selectAll().execute()
  const byName = new Map(rows.map((row) => [row.name, row]))
  return registry.definitions.map(({ name, patterns }) => {
    const row = byName.get(name)
    return { name, patterns, pausedAt: row?.paused_at ?? null, pauseReason: row?.pause_reason ?? null }
  })
}

async function pause({ registry, runs }: ControlParts, name: string, reason: string | null): Promise<void> {
  await runs.pause(registry.get(name).name, reason, true)
}

/** The wakes of the meantime found it paused, and are gone. */
async function resume({ registry, runs }: ControlParts, name: string): Promise<void> {
  await runs.pause(registry.get(name).name, null, false)
  for (let after: string | null = ''; after !== null; ) after = await runs.wakeDue(name, after, WAKE_PAGE)
}

async function retryOne({ runs }: ControlParts, run: RunKey, note: string | null): Promise<boolean> {
  return (await runs.inTransaction((unit) => runs.reopen(unit, [run], note))).length === 1
}
