/**
 * Everything about the team's handlers, put together: what follows from a recorded event, and who does it.
 */

import type { Transaction } from 'kysely'
import type { Database } from '../database/database.ts'
import type { ClerkTables } from '../database/tables.ts'
import { ClerkSyncError } from '../errors.ts'
import type { FollowUp, RecordedEvent } from '../ledger/follow-up.ts'
import type { Logger } from '../log.ts'
import { Bulk } from './bulk.ts'
import type { ControlParts } from './control.ts'
import type { Engine, EngineFactory, RunKey, Wake } from './engine.ts'
import type { HandlerDefinition } from './handler.ts'
import { Registry } from './registry.ts'
import { type NewRun, Runs } from './runs.ts'
import { Worker, type WorkerTotals } from './worker.ts'

/** How many tries were made. */
export type DrainResult = Readonly<WorkerTotals>

export interface DrainOptions {
  /**
   * How many seconds to go on for, at most. Leave a platform's limit some seconds: what runs then is given back.
   * @default 10
   */
  readonly maxSeconds?: number | undefined
}

export class Handling implements FollowUp {
  readonly registry = new Registry()
  readonly #database: Database
  readonly #factory: EngineFactory
  readonly #log: Logger
  /** The wakes of transactions that are not committed yet, for an engine that is told afterwards. */
  readonly #wakes = new WeakMap<Transaction<ClerkTables>, Wake[]>()
  #open: { readonly engine: Engine; readonly runs: Runs } | undefined
  #prepared: Promise<void> | undefined
  #worker: Worker | undefined
  #isClosed = false
  /** For an engine that calls the app; it takes nothing by itself. */
  #called: Worker | undefined
  readonly #draining = new Set<Worker>()

  constructor(database: Database, factory: EngineFactory, log: Logger) {
    this.#database = database
    this.#factory = factory
    this.#log = log
  }

  add(definition: HandlerDefinition): void {
    this.registry.add(definition)
  }

  /** Makes what the engine needs. Nothing, without handlers. */
  prepare(): Promise<void> {
    if (this.registry.definitions.length === 0) return Promise.resolve()
    this.#prepared ??= this.#opened()
      .engine.prepare()
      .catch((error) => {
        this.#prepared = undefined
        throw error
      })
    return this.#prepared
  }

  wants(type: string): boolean {
    return this.registry.matching(type).length > 0
  }

  async recorded(trx: Transaction<ClerkTables>, events: readonly RecordedEvent[]): Promise<void> {
    const runs = events.flatMap((event) => this.#runsFor(event))
    if (runs.length === 0) return
    const { engine, runs: books } = this.#opened()
    const wakes = await books.insert(trx, runs)
    if (engine.isTransactional) await books.enqueue(wakes, trx)
    else this.#wakes.set(trx, [...(this.#wakes.get(trx) ?? []), ...wakes])
  }

  committed(trx: Transaction<ClerkTables>): void {
    const wakes = this.#wakes.get(trx) ?? []
    if (wakes.length > 0) void this.#opened().runs.enqueue(wakes)
  }

  /** What people's actions on handlers need. */
  get parts(): ControlParts {
    const { runs } = this.#opened()
    return {
      queries: this.#database.queries,
      registry: this.registry,
      runs,
      bulk: new Bulk(this.#database, runs),
    }
  }

  /** Runs handlers in this process until it is closed. */
  async work(): Promise<void> {
    if (this.#worker || this.registry.definitions.length === 0) return
    await this.prepare()
    const { engine } = this.#opened()
    this.#worker = this.#createWorker()
    void this.#worker.sweep(engine.sweep)
    await engine.work(this.#worker)
  }

  /** Runs these runs, if they are due, to their end. */
  async run(keys: readonly RunKey[]): Promise<void> {
    if (this.#isClosed) throw new ClerkSyncError('shutting_down')
    this.#called ??= this.#createWorker()
    await (this.#worker ?? this.#called).run(keys)
  }

  /** Runs what is due, until nothing is or the time is up. */
  async drain(maxSeconds: number): Promise<DrainResult> {
    if (this.registry.definitions.length === 0) return { succeeded: 0, failed: 0 }
    if (this.#isClosed) throw new ClerkSyncError('shutting_down')
    const worker = this.#createWorker()
    this.#draining.add(worker)
    const deadline = Date.now() + maxSeconds * 1_000
    try {
      while (Date.now() < deadline && !worker.isStopping) {
        const isMore = await worker.takeOverdue(0)
        if (worker.isIdle && !isMore) break
        if (!worker.isIdle) await worker.someEnd(deadline - Date.now())
      }
    } finally {
      await worker.stop(Math.max(0, deadline - Date.now()))
      this.#draining.delete(worker)
    }
    return worker.totals
  }

  /** Takes no more runs, and gives back what does not end in time. */
  async rest(graceMs: number): Promise<void> {
    await this.#open?.engine.rest()
    const workers = [this.#worker, this.#called, ...this.#draining]
    await Promise.all(workers.map((worker) => worker?.stop(graceMs)))
    this.#worker = undefined
    this.#called = undefined
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    await this.rest(graceMs)
    await this.#open?.engine.close()
  }

  #opened(): { readonly engine: Engine; readonly runs: Runs } {
    if (this.#open) return this.#open
    this.registry.close()
    const context = { database: this.#database, handlers: this.registry.definitions, log: this.#log }
    const engine = this.#factory.create(context)
    this.#open = { engine, runs: new Runs(this.#database, engine, this.#log) }
    return this.#open
  }

  #createWorker(): Worker {
    const { runs } = this.#opened()
    return new Worker({ database: this.#database, runs, registry: this.registry, log: this.#log })
  }

  #runsFor({ eventId, type, resourceId, occurredAt }: RecordedEvent): NewRun[] {
    return this.registry.matching(type).map(({ name, isOrdered }) => ({
      eventId,
      handler: name,
      orderKey: isOrdered ? resourceId : null,
      occurredAt,
    }))
  }
}
