/** The engine on a Redis Cluster of three masters and three replicas, and on a Redis that Sentinel watches. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import type { ClerkSync, EngineFactory } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase, type TestDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { describeWithRedis } from '../support/redis.ts'
import { RedisCluster, RedisSentinel } from '../support/redis-cluster.ts'
import { engineContract } from './contract.ts'

/** Workers look by themselves every five seconds: three runs in a row that start so soon were woken. */
const WOKEN_MS = 500
const PATIENT = { timeout: 40_000, interval: 20 }

let made = 0

describeWithRedis('BullMQ', () => {
  describeWithPostgres('on a Redis Cluster', (url) => {
    const database = postgresDatabase(url)
    let cluster: RedisCluster
    beforeAll(async () => {
      cluster = await RedisCluster.start()
    })
    afterAll(() => cluster.stop())
    const engineAt = (prefix?: string) => bullmq({ connection: cluster.client(), prefix })

    engineContract('as an engine', database, () => ({ engine: engineAt() }))

    it('keeps the keys of each handler on one master, and those of all handlers on several', async () => {
      const names = ['one', 'two', 'three', 'four', 'five', 'six']
      const { handled } = await receiverAndWorker(database, engineAt, names)
      await vi.waitFor(() => expect(handled.size).toBe(names.length), PATIENT)
      const masters = await Promise.all(names.map((name) => cluster.masterOf(`{clerk-sync:${name}}`)))
      expect(new Set(masters).size).toBeGreaterThan(1)
      const keys = await Promise.all(
        masters.map((master, nr) => keysOf(master.url, `{clerk-sync:${names[nr]}}:*`)),
      )
      expect(keys.filter(({ length }) => length > 0)).toHaveLength(names.length)
    })

    it('loses nothing when the master that has the keys is killed, and wakes workers again', async () => {
      const master = await cluster.masterOf('{killed}')
      await survives(
        database,
        () => engineAt('{killed}'),
        () => master.stop(),
      )
    })
  })

  describeWithPostgres('on a Redis that Sentinel watches', (url) => {
    const database = postgresDatabase(url)

    it('loses nothing when the master is killed, and wakes workers again', async () => {
      const redis = await RedisSentinel.start()
      onTestFinished(() => redis.stop())
      const engine = () => bullmq({ connection: redis.options })
      await survives(database, engine, () => redis.master.stop())
    })

    it('is reached through a client of the app, which stays as it is', async () => {
      const redis = await RedisSentinel.start()
      onTestFinished(() => redis.stop())
      const connection = new Redis({ ...redis.options, lazyConnect: true })
      const { handled, close } = await receiverAndWorker(database, () => bullmq({ connection }), ['client'])
      await vi.waitFor(() => expect(handled.size).toBe(1), PATIENT)
      await close()
      expect(connection.status).toBe('wait')
    })
  })
})

/** Breaks Redis while events come, and expects every event handled once, and workers that are woken as before. */
async function survives(
  database: TestDatabase,
  engine: () => EngineFactory,
  breakRedis: () => Promise<void>,
): Promise<void> {
  const { receiver, handled } = await receiverAndWorker(database, engine, ['sturdy'])
  const ids: string[] = []
  const send = async () => ids.push((await deliver(receiver, newUser())).svixId)
  for (let count = 0; count < 50; count++) await send()
  const broken = breakRedis()
  for (let count = 0; count < 100; count++) await Promise.all([send(), sleep(20)])
  await broken
  await vi.waitFor(() => expect(handled.size).toBe(151), PATIENT)
  await vi.waitFor(async () => expect(await wakesInARow(receiver, handled)).toBe(3), PATIENT)
  for (const id of ids) expect([id, handled.get(id)]).toEqual([id, 1])
}

/** How many of three runs one after the other started at once. */
async function wakesInARow(receiver: ClerkSync, handled: ReadonlyMap<string, number>): Promise<number> {
  for (let woken = 0; woken < 3; woken++) {
    const { svixId } = await deliver(receiver, newUser())
    const end = Date.now() + WOKEN_MS
    while (!handled.has(svixId) && Date.now() < end) await sleep(5)
    if (!handled.has(svixId)) return woken
  }
  return 3
}

/** Two processes' worth: one takes events and works on none, so that only Redis can wake the other. One event is sent. */
async function receiverAndWorker(
  database: TestDatabase,
  engine: () => EngineFactory,
  names: readonly string[],
) {
  const handled = new Map<string, number>()
  const open = async () => {
    const sync = await database.open({ engine: engine() })
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    for (const name of names) {
      const note = ({ eventId }: { eventId: string }) => {
        const key = names.length > 1 ? `${eventId} ${name}` : eventId
        handled.set(key, (handled.get(key) ?? 0) + 1)
      }
      sync.on('user.created', note, { name })
    }
    return sync
  }
  const [receiver, worker] = [await open(), await open()]
  await worker.work()
  await deliver(receiver, newUser())
  const close = () => Promise.all([receiver.close(), worker.close()])
  return { receiver, handled, close }
}

function newUser() {
  return eventOf('user.created', { id: `user_cluster${made++}` })
}

async function keysOf(url: string, pattern: string): Promise<string[]> {
  const redis = new Redis(url)
  try {
    return await redis.keys(pattern)
  } finally {
    redis.disconnect()
  }
}
