/**
 * BullMQ on Redis, for teams that run it anyway. `clerk-sync/bullmq`
 *
 * Jobs hold ids only. They are added after the commit that records the runs; what Redis never got, lost or forgot, the
 * workers find in the table: a flushed Redis makes runs late by some seconds, not wrong.
 */

import type { Job, Queue, RedisOptions, Worker } from 'bullmq'
import { messageOf } from '../../database/failure.ts'
import {
  type Engine,
  type EngineContext,
  type EngineFactory,
  RARE_SWEEP,
  type Runner,
  type Wake,
} from '../engine.ts'

export interface BullmqOptions {
  /** Where Redis is: `redis://…`, or the options of ioredis. */
  readonly connection: string | RedisOptions
  /**
   * What the keys begin with in Redis.
   * @default "clerk-sync"
   */
  readonly prefix?: string | undefined
}

/**
 * Lets BullMQ wake the workers. Needs `npm install bullmq ioredis`, and a Redis with `maxmemory-policy noeviction`.
 *
 * @example
 * createClerkSync({ engine: bullmq({ connection: 'redis://localhost:6379' }) })
 */
export function bullmq({ connection, prefix = 'clerk-sync' }: BullmqOptions): EngineFactory {
  const redis = typeof connection === 'string' ? { url: connection } : connection
  return { name: 'bullmq', create: (context) => new BullmqEngine(context, redis, prefix) }
}

interface WakeData {
  readonly eventId: string
}

/** A wake is of no use once it was delivered. One that could not be, because the database is away, comes again. */
const JOB_OPTIONS = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 5,
  backoff: { type: 'exponential', delay: 500 },
} as const
/** A Redis that is not there is not waited for: the runs are in the table. */
const FAIL_FAST = { maxRetriesPerRequest: 1, enableOfflineQueue: false } as const
const READY_TIMEOUT_MS = 2_000

class BullmqEngine implements Engine {
  readonly isTransactional = false
  readonly sweep = RARE_SWEEP
  readonly #context: EngineContext
  readonly #redis: RedisOptions
  readonly #prefix: string
  #queues: Promise<ReadonlyMap<string, Queue<WakeData>>> | undefined
  #workers: readonly Worker<WakeData>[] = []

  constructor(context: EngineContext, redis: RedisOptions, prefix: string) {
    this.#context = context
    this.#redis = redis
    this.#prefix = prefix
  }

  async prepare(): Promise<void> {
    await this.#open()
  }

  async enqueue(wakes: readonly Wake[]): Promise<void> {
    const queues = await this.#open()
    for (const [handler, ofHandler] of Map.groupBy(wakes, (wake) => wake.handler)) {
      await queues.get(handler)?.addBulk(ofHandler.map(toJob))
    }
  }

  async work(runner: Runner): Promise<void> {
    const { Worker } = await import('bullmq')
    this.#workers = this.#context.handlers.map(({ name, concurrency }) => {
      const take = ({ data }: Job<WakeData>) => runner.take([{ eventId: data.eventId, handler: name }])
      const options = { ...this.#options({ maxRetriesPerRequest: null }), concurrency: 2 * concurrency }
      return this.#heard(new Worker<WakeData>(name, take, options))
    })
  }

  async rest(): Promise<void> {
    // By force: a job whose run was not claimed yet is delivered again.
    await Promise.all(this.#workers.map((worker) => worker.close(true)))
    this.#workers = []
  }

  async close(): Promise<void> {
    await this.rest()
    const queues = await this.#queues
    await Promise.all([...(queues?.values() ?? [])].map((queue) => queue.close()))
  }

  #open(): Promise<ReadonlyMap<string, Queue<WakeData>>> {
    this.#queues ??= this.#createQueues()
    return this.#queues
  }

  async #createQueues(): Promise<ReadonlyMap<string, Queue<WakeData>>> {
    const { Queue } = await import('bullmq')
    const named = this.#context.handlers.map(({ name }) => {
      const queue = this.#heard(new Queue<WakeData>(name, this.#options(FAIL_FAST)))
      return [name, queue] as const
    })
    const ready = Promise.all(named.map(([, queue]) => queue.waitUntilReady())).catch(() => undefined)
    await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, READY_TIMEOUT_MS).unref())])
    return new Map(named)
  }

  #options(redis: RedisOptions) {
    return { connection: { ...this.#redis, ...redis }, prefix: this.#prefix }
  }

  /** Without a listener an error ends the process. */
  #heard<Emitter extends { on(event: 'error', listener: (error: Error) => void): unknown }>(
    emitter: Emitter,
  ): Emitter {
    emitter.on('error', (error) =>
      this.#context.log.debug({ cause: messageOf(error) }, 'BullMQ has a problem with Redis'),
    )
    return emitter
  }
}

function toJob({ eventId, id, at }: Wake) {
  // BullMQ separates the parts of its keys by colons.
  const jobId = id.replaceAll(':', '/')
  const delay = at === null ? 0 : Math.max(0, at.getTime() - Date.now())
  return { name: 'run', data: { eventId }, opts: { ...JOB_OPTIONS, jobId, delay } }
}
