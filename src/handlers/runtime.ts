/** The handler runtime: which runs an event has, the worker that makes them, and the engine that wakes others. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { ClerkSyncError } from '../errors.ts'
import type { HandlerPort, NewRun, RecordedEvent, RunKey } from '../ingest/handler-port.ts'
import type { Logger } from '../log.ts'
import { Bulk } from './bulk.ts'
import { Claims } from './claims.ts'
import { Completions } from './completion.ts'
import type { ControlParts } from './control.ts'
import type { Engine, EngineFactory, Wake } from './engine.ts'
import type { HandlerDefinition } from './handler.ts'
import { Lease } from './lease.ts'
import { limited } from './limited-log.ts'
import { Registry } from './registry.ts'
import { Runs } from './runs.ts'
import { Transactions } from './transactions.ts'
import { firstWake, Wakes } from './wakes.ts'
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

const DRAIN_LOOK_MS = 5
const TOO_FEW =
  'maxConnections is 1; to run handlers it must be at least 2: one for what a handler writes, one for the rest'

export class HandlerRuntime implements HandlerPort {
  readonly registry = new Registry()
  readonly #database: Database
  readonly #log: Logger
  readonly #engine: Engine
  readonly #wakes: Wakes
  readonly #runs: Runs
  readonly #transactions: Transactions
  #working: Promise<void> | undefined
  #worker: Worker | undefined
  /** For an engine that calls the app; it takes nothing by itself. */
  #called: Worker | undefined
  readonly #draining = new Set<Worker>()
  #isClosed = false

  constructor(database: Database, factory: EngineFactory, log: Logger) {
    this.#database = database
    this.#log = log
    const { registry } = this
    const engineLog = limited(log)
    this.#engine = factory.create({
      database,
      log: engineLog,
      get handlers() {
        return registry.definitions
      },
    })
    this.#wakes = new Wakes(this.#engine, engineLog, (wakes) => this.#wake(wakes))
    this.#runs = new Runs(database, (wakes) => this.#wakes.send(wakes))
    this.#transactions = new Transactions(database)
  }

  /** @throws {ClerkSyncError} `handler_duplicate` or `handler_late` */
  add(definition: HandlerDefinition): void {
    this.registry.add(definition)
  }

  /** Whether an event of this type has runs. */
  wants(type: string): boolean {
    return this.registry.matching(type).length > 0
  }

  /** The runs of an event that is being recorded. */
  runsFor({ eventId, type, resourceId, occurredAt }: RecordedEvent): readonly NewRun[] {
    this.registry.close()
    return this.registry.matching(type).map(({ name, isOrdered }) => ({
      eventId,
      handler: name,
      orderKey: isOrdered ? resourceId : null,
      occurredAt,
    }))
  }

  /** Wakes workers for runs that are committed. Returns at once, never throws, and may be lost. */
  wake(runs: readonly RunKey[]): void {
    this.#wakes.send(runs.map(firstWake))
  }

  /** What people's actions on handlers need. */
  get parts(): ControlParts {
    return {
      queries: this.#database.queries,
      registry: this.registry,
      runs: this.#runs,
      bulk: new Bulk(this.#database, this.#runs),
    }
  }

  /** Runs handlers in this process until it is closed. Another call changes nothing; one after a failed start starts again. */
  async work(): Promise<void> {
    if (this.#isClosed) throw new ClerkSyncError('shutting_down')
    if (this.registry.definitions.length === 0) return
    this.#working ??= this.#startWorking().catch((error) => {
      this.#working = undefined
      throw error
    })
    await this.#working
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
      await this.#drain(worker, deadline)
    } finally {
      await worker.stop(Math.max(0, deadline - Date.now()))
      this.#draining.delete(worker)
    }
    return worker.totals
  }

  /** Takes no more runs, and gives back what does not end in time. */
  async rest(graceMs: number): Promise<void> {
    const workers = [this.#worker, this.#called, ...this.#draining]
    await Promise.all([this.#engine.rest(), ...workers.map((worker) => worker?.stop(graceMs))])
    this.#worker = undefined
    this.#called = undefined
    this.#working = undefined
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    await this.rest(graceMs)
    await this.#wakes.close()
    await this.#engine.close()
  }

  async #startWorking(): Promise<void> {
    const worker = this.#createWorker()
    try {
      await this.#engine.work(worker)
      // Whether the tables are there and can be written: what follows is tried again and again.
      await worker.begin()
    } catch (error) {
      await this.#engine.rest()
      await worker.stop(0)
      throw error
    }
    this.#worker = worker
    void worker.keepLooking(this.#engine)
  }

  /** The workers of this process. One that an engine calls takes nothing by itself. */
  #wake(wakes: readonly Wake[]): void {
    for (const worker of [this.#worker, ...this.#draining]) worker?.wake(wakes)
  }

  async #drain(worker: Worker, deadline: number): Promise<void> {
    await worker.begin()
    for (let tried = -1; Date.now() < deadline && !worker.isStopping; ) {
      const { succeeded, failed } = worker.totals
      if (worker.isIdle && succeeded + failed === tried) return
      if (worker.isIdle) {
        tried = succeeded + failed
        await worker.lookAround()
      }
      await sleep(DRAIN_LOOK_MS)
    }
  }

  /** @throws {ClerkSyncError} `option_invalid` if no connection can be spared for handlers' transactions */
  #createWorker(): Worker {
    this.registry.close()
    if (this.#database.handlerTransactions === 0) throw new ClerkSyncError('option_invalid', TOO_FEW)
    const { bookkeeping } = this.#database
    const { statements } = this.#runs
    const log = this.#log
    const { telemetry } = this.#database
    const wake = this.#wakes.send.bind(this.#wakes)
    const lease = new Lease(bookkeeping, statements)
    return new Worker({
      registry: this.registry,
      lease,
      claims: new Claims(this.#database, statements, lease),
      completions: new Completions({ database: bookkeeping, statements, log: limited(log), wake }),
      transactions: this.#transactions,
      wake,
      log,
      telemetry,
    })
  }
}
