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
import type { ConnectionOptions, Queue, RedisOptions, Worker } from 'bullmq'
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
  /**
   * Where Redis is: `redis://…`, the options of ioredis (with `sentinels` and `name` for Sentinel), or a client of ioredis:
   * `new Cluster(nodes, { lazyConnect: true })` for a Redis Cluster.
   *
   * The engine only duplicates a client, so that it may be one of your own. With `lazyConnect`, a command such as
   * `clerk-sync status` does not connect to Redis.
   */
  readonly connection: string | RedisOptions | IoredisClient
  /**
   * What the keys begin with in Redis. On a cluster each handler's keys get a hash tag, `{clerk-sync:welcome}`, which spreads
   * handlers over the masters. A prefix with a hash tag of its own, such as `{app}`, stays as it is.
   * @default "clerk-sync"
   */
  readonly prefix?: string | undefined
}

/** A `Redis` or a `Cluster` of ioredis. */
export interface IoredisClient {
  readonly isCluster?: boolean
  connect(...args: never[]): unknown
  disconnect(...args: never[]): unknown
  duplicate(...args: never[]): unknown
}

/**
 * Lets BullMQ wake the workers. Needs `npm install bullmq ioredis`, and a Redis with `maxmemory-policy noeviction`.
 *
 * @example
 * createClerkSync({ engine: bullmq({ connection: 'redis://localhost:6379' }) })
 *
 * @example
 * import { Cluster } from 'ioredis'
 * const connection = new Cluster([{ host: 'redis-0', port: 6379 }], { lazyConnect: true })
 * createClerkSync({ engine: bullmq({ connection }) })
 */
export function bullmq({ connection, prefix = 'clerk-sync' }: BullmqOptions): EngineFactory {
  const redis = redisAt(connection)
  return { name: 'bullmq', create: (context) => new BullmqEngine(context, redis, prefix) }
}

/** A delivered wake is removed. One that fails because the database is unavailable is retried. */
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
/** One claim runs at a time, for as many runs as there are free slots. */
const JOBS_AT_ONCE = 2

/** What BullMQ is given, and how it ends. */
interface Link {
  readonly connection: ConnectionOptions
  /** For clients, which BullMQ leaves to their owner. */
  cut(): void
}

interface RedisPlace {
  readonly isCluster: boolean
  /** @param options what differs for this use */
  link(options: RedisOptions): Link
}

function redisAt(connection: BullmqOptions['connection']): RedisPlace {
  if (typeof connection === 'string') return redisAt({ url: connection })
  if (isClient(connection)) return clientPlace(connection)
  const link = (options: RedisOptions) => ({
    connection: { ...connection, ...options },
    cut: () => undefined,
  })
  return { isCluster: false, link }
}

function isClient(connection: RedisOptions | IoredisClient): connection is IoredisClient {
  return typeof connection.duplicate === 'function'
}

function clientPlace(client: IoredisClient): RedisPlace {
  const isCluster = client.isCluster === true
  const link = (options: RedisOptions) => {
    const own = isCluster ? duplicateCluster(client, options) : duplicateRedis(client, options)
    return { connection: own, cut: () => own.disconnect() }
  }
  return { isCluster, link }
}

type Duplicating = (...args: unknown[]) => IoredisClient

function duplicateRedis(client: IoredisClient, options: RedisOptions): IoredisClient {
  return (client.duplicate as Duplicating)({ ...options, lazyConnect: false })
}

/** Each node has the options; whether commands wait for an unreachable cluster is the cluster's own setting. */
function duplicateCluster(client: IoredisClient, options: RedisOptions): IoredisClient {
  const { redisOptions } = (client as { options?: { redisOptions?: RedisOptions } }).options ?? {}
  const { enableOfflineQueue = true } = options
  return (client.duplicate as Duplicating)([], {
    enableOfflineQueue,
    lazyConnect: false,
    redisOptions: { ...redisOptions, ...options },
  })
}

class BullmqEngine implements Engine {
  readonly lookEveryMs = LOOK_EVERY_MS
  readonly #context: EngineContext
  readonly #redis: RedisPlace
  readonly #prefix: string
  readonly #queues = new Map<string, Promise<Queue>>()
  #sending: Link | undefined
  #listening: Link | undefined
  #workers: readonly Worker[] = []

  constructor(context: EngineContext, redis: RedisPlace, prefix: string) {
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
    this.#listening = this.#redis.link({ maxRetriesPerRequest: null })
    const { connection } = this.#listening
    this.#workers = this.#context.handlers.map(({ name }) => {
      const options = { connection, prefix: this.#prefixOf(name), concurrency: JOBS_AT_ONCE }
      return this.#heard(new Worker(name, () => runner.take(name), options))
    })
  }

  async rest(): Promise<void> {
    // By force: a job for which nothing was claimed yet is delivered again.
    await patiently(this.#workers.map((worker) => worker.close(true)))
    this.#workers = []
    this.#listening?.cut()
  }

  async close(): Promise<void> {
    await this.rest()
    const queues = [...this.#queues.values()]
    await patiently(queues.map(async (queue) => (await queue).close()))
    await patiently(queues.map(async (queue) => (await queue).disconnect()))
    this.#sending?.cut()
  }

  #queueOf(handler: string): Promise<Queue> {
    const queue = this.#queues.get(handler) ?? this.#createQueue(handler)
    this.#queues.set(handler, queue)
    return queue
  }

  async #createQueue(handler: string): Promise<Queue> {
    const { Queue } = await loadBullmq()
    this.#sending ??= this.#redis.link(FAIL_FAST)
    const { connection } = this.#sending
    const queue = this.#heard(new Queue(handler, { connection, prefix: this.#prefixOf(handler) }))
    const ready = queue.waitUntilReady().catch(() => undefined)
    await Promise.race([ready, sleep(READY_TIMEOUT_MS, undefined, { ref: false })])
    return queue
  }

  /** A cluster runs a script only on keys of one slot: those of a queue share a hash tag. */
  #prefixOf(handler: string): string {
    const hasTag = /\{[^{}]+\}/.test(this.#prefix)
    return this.#redis.isCluster && !hasTag ? `{${this.#prefix}:${handler}}` : this.#prefix
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
