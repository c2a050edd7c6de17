/**
 * The engine: what brings runs to workers. It only wakes them.
 *
 * The table `handler_runs` is the truth: which runs there are, when each is due, who has it. A worker claims a run there
 * before it starts, so that an engine may deliver a wake twice, late or never: twice is ignored, and what is overdue
 * is found by the workers' own sweep.
 */

import type { Transaction } from 'kysely'
import type { Database } from '../database/database.ts'
import type { ClerkTables } from '../database/tables.ts'
import type { Logger } from '../log.ts'

/** Which run. */
export interface RunKey {
  readonly eventId: string
  readonly handler: string
}

/** Tells a worker, at the given time, that a run is due. */
export interface Wake extends RunKey {
  /** Names the wake, for engines that drop what they have had before. The first of a run always has the same name. */
  readonly id: string
  /** Null means now. */
  readonly at: Date | null
}

/** What an engine gives its wakes to. */
export interface Runner {
  /** Resolves once each run is in this process' hands, or turned out not to be due. Waits while its handler is busy. */
  take(runs: readonly RunKey[]): Promise<void>
  /** Resolves once each run has ended, one way or the other. For engines that keep a function alive as long as it works. */
  run(runs: readonly RunKey[]): Promise<void>
}

export interface Engine {
  /**
   * Whether wakes are written in the transaction that records the runs. Otherwise they are sent after its commit, and
   * what is lost in between is swept up.
   */
  readonly isTransactional: boolean
  readonly sweep: Sweep
  /** Makes what it needs where it keeps its wakes. Called before anything else, by any number of processes. */
  prepare(): Promise<void>
  enqueue(wakes: readonly Wake[], transaction?: Transaction<ClerkTables>): Promise<void>
  /** Begins to give wakes to the runner. */
  work(runner: Runner): Promise<void>
  /** Gives no more wakes. */
  rest(): Promise<void>
  /** Lets go of connections. */
  close(): Promise<void>
}

/** How workers look for runs that no wake came for. */
export interface Sweep {
  readonly everyMs: number
  /** How long overdue a run must be. */
  readonly graceMs: number
}

/** For engines that hardly ever lose a wake: often enough to start a lost worker's runs again within 30 seconds. */
export const RARE_SWEEP: Sweep = { everyMs: 5_000, graceMs: 15_000 }

/** What an engine may know. */
export interface EngineContext {
  readonly database: Database
  readonly handlers: readonly { readonly name: string; readonly concurrency: number }[]
  readonly log: Logger
}

/** Makes an engine for a sync. What it needs besides is given to a function of its own: `pgBoss()`, `bullmq({ … })`. */
export interface EngineFactory {
  readonly name: string
  create(context: EngineContext): Engine
}

/** The parts of a sync that engines need which call the app. */
export interface CallableSync {
  readonly handlers: { readonly definitions: EngineContext['handlers'] }
  run(runs: readonly RunKey[]): Promise<void>
}
