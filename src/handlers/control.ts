/** Manages handlers: list, pause, retry. `sync.handlers` */

import type { Kysely } from 'kysely'
import type { RunFilter } from '../database/filter.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Bulk, BulkOptions, BulkResult, Past } from './bulk.ts'
import type { HandlerDefinition } from './handler.ts'
import type { Registry } from './registry.ts'
import type { RunKey } from './run.ts'
import type { Runs } from './runs.ts'

/** The state of a handler. */
export interface HandlerInfo {
  readonly name: string
  /** Which events it is for. */
  readonly patterns: readonly string[]
  /** When it was paused; null if it is not. */
  readonly pausedAt: Date | null
  readonly pauseReason: string | null
}

/** Manages handlers. */
export interface HandlerControl {
  /** The handlers that are registered here. */
  readonly definitions: readonly HandlerDefinition[]
  /** The handlers with their stored settings. */
  list(): Promise<HandlerInfo[]>
  /**
   * Pauses a handler: its runs wait. Running ones continue.
   * @throws {ClerkSyncError} `handler_unknown`
   */
  pause(name: string, reason?: string): Promise<void>
  /**
   * Resumes a paused handler.
   * @throws {ClerkSyncError} `handler_unknown`
   */
  resume(name: string): Promise<void>
  /** Counts the runs that match a filter. */
  count(filter: RunFilter): Promise<number>
  /**
   * Retries runs from their first attempt: by default the failed ones. To count those whose events have lost their
   * secrets, call `count({ …filter, secretsForgotten: true })` first.
   *
   * @example
   * await sync.handlers.retry({ handlers: ['syncCrm'], statuses: ['dead'] }, { note: 'after the CRM fix' })
   */
  retry(filter: RunFilter, options?: BulkOptions): Promise<BulkResult>
  /** Retries one run now, in any state. False if there is no such run, or if it is running. */
  retryOne(run: RunKey, note?: string): Promise<boolean>
  /** Discards runs, which then need not succeed: by default the waiting and failed ones. */
  discard(filter: RunFilter, options?: BulkOptions): Promise<BulkResult>
  /**
   * Runs a handler for existing data, once for each event or row that it has not run for.
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

/** Wakes during the pause were dropped. */
async function resume({ registry, runs }: ControlParts, name: string): Promise<void> {
  await runs.pause(registry.get(name).name, null, false)
  for (let after: string | null = ''; after !== null; ) after = await runs.wakeDue(name, after, WAKE_PAGE)
}

async function retryOne({ runs }: ControlParts, run: RunKey, note: string | null): Promise<boolean> {
  return (await runs.inTransaction((unit) => runs.reopen(unit, [run], note))).length === 1
}
