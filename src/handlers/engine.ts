/**
 * The engine: wakes the workers of other processes when runs are due.
 *
 * The table `handler_runs` is the truth: which runs there are, when each is due, which worker has it. A worker claims a
 * run there before it starts it, so that an engine may deliver a wake twice, late or never: a second wake is ignored,
 * and workers find overdue runs by polling the table. Nothing waits for an engine.
 */

import type { Database } from '../database/database.ts'
import type { Logger } from '../log.ts'
import type { RunKey } from './run.ts'

export type { RunKey } from './run.ts'

/** Announces that a run is due, or will be. */
export interface Wake extends RunKey {
  /** Names the wake, for engines that drop what they have had before. The first of a run always has the same name. */
  readonly id: string
  /** When it is due; null means now. */
  readonly at: Date | null
}

/** What an engine gives its wakes to. */
export interface Runner {
  /** Something is due. Returns at once. */
  look(handlers: readonly string[], scope: Scope): void
  /** The same for one handler; resolves once this process has claimed what it has room for. */
  take(handler: string): Promise<void>
  /** Resolves once each run has ended, one way or the other. For engines that keep a function alive as long as it works. */
  run(runs: readonly RunKey[]): Promise<void>
}

/** Whether only runs that came due just now are meant, or also those that wait for longer. */
export type Scope = 'recent' | 'all'

export interface Engine {
  /** How often workers look for what no wake came for. May change while the engine works. */
  readonly lookEveryMs: number
  /** Wakes other processes, outside any transaction. May fail, be slow, or get lost. */
  wake(wakes: readonly Wake[]): Promise<void>
  /** Begins to give wakes to the runner. */
  work(runner: Runner): Promise<void>
  /** Gives no more wakes. */
  rest(): Promise<void>
  /** Lets go of connections. */
  close(): Promise<void>
}

/** For engines that hardly ever lose a wake: often enough to start a lost worker's runs again within 30 seconds. */
export const LOOK_EVERY_MS = 5_000

/** What an engine may know. */
export interface EngineContext {
  readonly database: Database
  /** The handlers that are registered by now. */
  readonly handlers: readonly { readonly name: string; readonly concurrency: number }[]
  /** Equal lines are written once in ten seconds, with their number. */
  readonly log: Logger
}

/** Makes an engine for a sync. What it needs besides is given to a function of its own: `postgres()`, `bullmq({ … })`. */
export interface EngineFactory {
  readonly name: string
  create(context: EngineContext): Engine
}

/** The parts of a sync that engines need which call the app. */
export interface CallableSync {
  readonly handlers: { readonly definitions: EngineContext['handlers'] }
  run(runs: readonly RunKey[]): Promise<void>
}
