import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, expect, it, onTestFinished, vi } from 'vitest'
import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { describeWithRedis, RedisServer } from '../support/redis.ts'
import { engineContract } from './contract.ts'

describeWithRedis('BullMQ', (url) => {
  const prefix = `clerk-sync-test-${randomBytes(4).toString('hex')}`
  afterAll(async () => {
    const redis = new Redis(url)
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.del(...keys)
    redis.disconnect()
  })
  describeEachDatabase('with a Redis', (database) =>
    engineContract('as an engine', database, () => ({ engine: bullmq({ connection: url, prefix }) })),
  )
})

describeWithRedis('BullMQ, whose Redis', () => {
  describeWithPostgres('is lost', (postgres) => {
    const database = postgresDatabase(postgres)

    it('is flushed, stopped and started again: nothing is lost, and events are taken all the time', async () => {
      const redis = (await RedisServer.start()) as RedisServer
      onTestFinished(() => redis.stop())
      const seen: string[] = []
      const sync = await database.open({ engine: bullmq({ connection: redis.url }) })
      onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
      sync.on('*', ({ eventId }) => seen.push(eventId), { name: 'flushed', concurrency: 2 })

      const receipts = [await deliver(sync, eventOf('user.created', { id: 'user_redis0' }))]
      await redis.flush()
      await sync.work()
      receipts.push(await deliver(sync, eventOf('user.created', { id: 'user_redis1' })))
      await redis.stop()
      const startedAt = Date.now()
      receipts.push(await deliver(sync, eventOf('user.created', { id: 'user_redis2' })))
      expect(Date.now() - startedAt).toBeLessThan(2_000)
      await redis.start()
      receipts.push(await deliver(sync, eventOf('user.created', { id: 'user_redis3' })))
      const ids = receipts.map(({ svixId }) => svixId).sort()
      await vi.waitFor(() => expect([...seen].sort()).toEqual(ids), { timeout: 40_000, interval: 100 })
    }, 60_000)
  })
})
