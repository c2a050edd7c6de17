/**
 * BullMQ on Redis, for teams that run it anyway.
 *
 * A job says only that a handler has something to do, and stands for as many runs as the handler may have under way. Jobs are
 * added after the commit that records the runs; what Redis never got, lost or forgot, the workers find in the table: a
 * flushed Redis makes runs late by some seconds, not wrong.
 *
 * @module clerk-sync/bullmq
 */

import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Queue, RedisOptions, Worker } from 'bullmq'
import { messageOf } from '../../database/failure.ts'
import { peerMissing } from '../../peer.ts'
import {
  type Engine,
  type EngineContext,
  type EngineFactory,
  LOOK_EVERY_MS,
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

/** A wake is of no use once it was delivered. One that could not be, because the database is away, comes again. */
const JOB_OPTIONS = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 5,
  backoff: { type: 'exponential', delay: 500 },
} as const
/** A Redis that is not there or hangs is not waited for: the runs are in the table. */
const FAIL_FAST = { maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: 2_000 } as const
/** For the first connection; afterwards one that is lost is noticed at once. */
const READY_TIMEOUT_MS = 2_000
/** A Redis that hangs holds up the end of the process no longer than this. */
const FAREWELL_MS = 1_000
/** One claim is under way at a time, and takes what there is room for. */
const JOBS_AT_ONCE = 2

class BullmqEngine implements Engine {
  readonly lookEveryMs = LOOK_EVERY_MS
  readonly #context: EngineContext
  readonly #redis: RedisOptions
  readonly #prefix: string
  readonly #queues = new Map<string, Promise<Queue>>()
  #workers: readonly Worker[] = []

  constructor(context: EngineContext, redis: RedisOptions, prefix: string) {
    this.#context = context
    this.#redis = redis
    this.#prefix = prefix
  }

  async wake(wakes: readonly Wake[]): Promise<void> {
    const byHandler = Map.groupBy(wakes, (wake) => wake.handler)
    await Promise.all(
      [...byHandler].map(async ([handler, ofHandler]) => {
        const concurrency = this.#context.handlers.find(({ name }) => name === handler)?.concurrency ?? 1
        await (await this.#queueOf(handler)).addBulk(jobsOf(ofHandler, concurrency))
      }),
    )
  }

  async work(runner: Runner): Promise<void> {
    const { Worker } = await loadBullmq()
    const options = { ...this.#options({ maxRetriesPerRequest: null }), concurrency: JOBS_AT_ONCE }
    this.#workers = this.#context.handlers.map(({ name }) =>
      this.#heard(new Worker(name, () => runner.take(name), options)),
    )
  }

  async rest(): Promise<void> {
    // By force: a job for which nothing was claimed yet is delivered again.
    await patiently(this.#workers.map((worker) => worker.close(true)))
    this.#workers = []
  }

  async close(): Promise<void> {
    await this.rest()
    const queues = [...this.#queues.values()]
    await patiently(queues.map(async (queue) => (await queue).close()))
    await patiently(queues.map(async (queue) => (await queue).disconnect()))
  }

  #queueOf(handler: string): Promise<Queue> {
    const queue = this.#queues.get(handler) ?? this.#createQueue(handler)
    this.#queues.set(handler, queue)
    return queue
  }

  async #createQueue(handler: string): Promise<Queue> {
    const { Queue } = await loadBullmq()
    const queue = this.#heard(new Queue(handler, this.#options(FAIL_FAST)))
    const ready = queue.waitUntilReady().catch(() => undefined)
    await Promise.race([ready, sleep(READY_TIMEOUT_MS, undefined, { ref: false })])
    return queue
  }

  #options(redis: RedisOptions) {
    return { connection: { ...this.#redis, ...redis }, prefix: this.#prefix }
  }

  /** Without a listener an error ends the process. */
  #heard<Emitter extends { on(event: 'error', listener: (error: Error) => void): unknown }>(
    emitter: Emitter,
  ): Emitter {
    emitter.on('error', (error) =>
      this.#context.log.warn({ cause: messageOf(error) }, 'BullMQ cannot use Redis'),
    )
    return emitter
  }
}

/** @throws {ClerkSyncError} `peer_missing` */
async function loadBullmq() {
  const bullmq = await import('bullmq').catch((error) => {
    throw peerMissing('bullmq()', 'bullmq ioredis', error)
  })
  requireDriver()
  return bullmq
}

/** BullMQ 6 loads its driver when it first connects, and without one it tries again and again without a pause. */
function requireDriver(): void {
  const path = resolved('bullmq', import.meta.url)
  // In a bundle nothing can be resolved, and the driver is part of it.
  if (path instanceof Error) return
  const driver = resolved('ioredis', path)
  if (driver instanceof Error) throw peerMissing('bullmq()', 'bullmq ioredis', driver)
}

function resolved(name: string, from: string): string | Error {
  try {
    return createRequire(from).resolve(name)
  } catch (error) {
    return error as Error
  }
}

/** What is due is one job for as many runs as a worker takes at a time; what is due later has a job of its own. */
function jobsOf(wakes: readonly Wake[], concurrency: number) {
  const delays = wakes.map(({ at }) => (at === null ? 0 : Math.max(0, at.getTime() - Date.now())))
  const later = delays.filter((delay) => delay > 0)
  const jobs = Math.ceil((delays.length - later.length) / concurrency)
  return [...Array<number>(jobs).fill(0), ...later].map((delay) => ({
    name: 'run',
    data: {},
    opts: { ...JOB_OPTIONS, delay },
  }))
}

async function patiently(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.race([Promise.allSettled(work), sleep(FAREWELL_MS, undefined, { ref: false })])
}
