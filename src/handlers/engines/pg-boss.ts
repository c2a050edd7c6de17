/**
 * The engine by default: pg-boss, in the same database, on Postgres and on PGlite. Its jobs are written in the
 * transaction that records the runs, and LISTEN/NOTIFY wakes workers within milliseconds.
 *
 * A job says only which run is due, and is done as soon as a worker has claimed that run: how it ends is in `handler_runs`.
 */

import { sql, type Transaction } from 'kysely'
import type { PgBoss } from 'pg-boss'
import { CONNECT_TIMEOUT_MS } from '../../database/database.ts'
import { available } from '../../database/failure.ts'
import type { ClerkTables } from '../../database/tables.ts'
import type { Engine, EngineContext, EngineFactory, RunKey, Runner, Wake } from '../engine.ts'
import { RARE_SWEEP } from '../engine.ts'

const NAME = 'pg-boss'

export interface PgBossOptions {
  /**
   * The database schema of pg-boss' own tables.
   * @default the schema of the tables with `_jobs` behind it
   */
  readonly schema?: string | undefined
}

export function pgBoss(options: PgBossOptions = {}): EngineFactory {
  return {
    name: NAME,
    create: (context) => new PgBossEngine(context, options.schema ?? `${context.database.schema}_jobs`),
  }
}

/** A wake that was taken and neither claimed nor given back belongs to a process that is gone. */
const EXPIRE_SECONDS = 60
/** A wake is of no use once it was delivered. */
const DELETE_AFTER_SECONDS = 60
/** The longest that Svix' schedule waits is 10 hours; a list of delays may be longer. */
const RETENTION_SECONDS = 90 * 24 * 3_600
/** How many wakes a worker fetches at once. */
const BATCH_SIZE = 100

/** A notification comes when a wake is written, not when a later one is due: those are found by looking. */
const POLLING = { pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 1 }

class PgBossEngine implements Engine {
  readonly isTransactional = true
  readonly sweep = RARE_SWEEP
  readonly #context: EngineContext
  readonly #schema: string
  /** The instance at hand: one that only writes, until this process works. */
  #boss: Promise<PgBoss> | undefined

  constructor(context: EngineContext, schema: string) {
    this.#context = context
    this.#schema = schema
  }

  async prepare(): Promise<void> {
    // Whether it answers at all: pg-boss waits twice for a database that is away.
    await available(sql`select 1`.execute(this.#context.database.ingest))
    await available(this.#createQueues())
  }

  async enqueue(wakes: readonly Wake[], transaction?: Transaction<ClerkTables>): Promise<void> {
    const boss = await this.#write()
    const { fromKysely } = await import('pg-boss')
    const options = transaction && { db: fromKysely(transaction.withoutPlugins()) }
    for (const [handler, ofHandler] of Map.groupBy(wakes, (wake) => wake.handler)) {
      const jobs = ofHandler.map(({ eventId, at }) => ({ data: { eventId }, ...(at && { startAfter: at }) }))
      await boss.insert(handler, jobs, options)
    }
  }

  async work(runner: Runner): Promise<void> {
    const writing = await this.#write()
    const boss = await this.#open({ supervise: true, useListenNotify: true, monitorIntervalSeconds: 10 })
    this.#boss = Promise.resolve(boss)
    await stop(writing)
    for (const { name } of this.#context.handlers) {
      const options = { batchSize: BATCH_SIZE, burstWhenBatchFull: true, ...POLLING }
      await boss.work<{ eventId: string }>(name, options, async (jobs) => {
        await runner.take(jobs.map((job): RunKey => ({ eventId: job.data.eventId, handler: name })))
      })
    }
  }

  async rest(): Promise<void> {
    const boss = await this.#boss
    // Not waiting: a worker that waits for a free slot has taken nothing yet.
    await Promise.all(this.#context.handlers.map(({ name }) => boss?.offWork(name, { wait: false })))
  }

  async close(): Promise<void> {
    const boss = await this.#boss?.catch(() => undefined)
    if (boss) await stop(boss)
  }

  #write(): Promise<PgBoss> {
    this.#boss ??= this.#open({ supervise: false }).catch((error) => {
      this.#boss = undefined
      throw error
    })
    return this.#boss
  }

  async #createQueues(): Promise<void> {
    const boss = await this.#write()
    for (const { name } of this.#context.handlers) {
      await boss.createQueue(name, {
        notify: true,
        expireInSeconds: EXPIRE_SECONDS,
        deleteAfterSeconds: DELETE_AFTER_SECONDS,
        retentionSeconds: RETENTION_SECONDS,
      })
    }
  }

  async #open(options: object): Promise<PgBoss> {
    const { PgBoss, fromPglite } = await import('pg-boss')
    const { database, log } = this.#context
    const { source } = database
    const connection =
      source.kind === 'embedded'
        ? ({ db: fromPglite(await source.open()), backend: 'pglite' } as const)
        : {
            connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
            ...source.config,
            application_name: 'clerk-sync',
            max: 3,
          }
    const boss = new PgBoss({
      ...connection,
      schema: this.#schema,
      schedule: false,
      registerInstance: false,
      ...options,
    } as never)
    boss.on('error', (error) => log.warn({ engine: NAME, cause: error.message }, 'the engine has a problem'))
    try {
      await boss.start()
      return boss
    } catch (error) {
      // What has started already would go on beside the next one.
      void stop(boss).catch(() => undefined)
      throw error
    }
  }
}

/** With a little patience: a fetch that is under way must not meet a database that is closed. */
function stop(boss: PgBoss): Promise<void> {
  return boss.stop({ graceful: true, timeout: 2_000, close: true })
}
