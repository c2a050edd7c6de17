import { expect, it, onTestFinished, vi } from 'vitest'
import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { bullmqPrefix, describeWithRedis } from '../support/redis.ts'
import { RedisServer } from '../support/redis-server.ts'
import { engineContract } from './contract.ts'

describeWithRedis('BullMQ', (url) => {
  const prefix = bullmqPrefix(url)
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

    it('is flushed while a thousand ordered runs wait: two idle workers finish them within 30 seconds', async () => {
      const redis = (await RedisServer.start()) as RedisServer
      onTestFinished(() => redis.stop())
      const here = postgresDatabase(postgres)
      const seen: string[] = []
      const open = async () => {
        const sync = await here.open({ engine: bullmq({ connection: redis.url }) })
        onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
        const handle = ({ event }: { event: { data: { id?: string }; timestamp?: number | undefined } }) =>
          seen.push(`${event.data.id} ${event.timestamp}`)
        sync.on('user.updated', handle, { name: 'in-line', ordered: true })
        return sync
      }
      const [receiver, ...workers] = [await open(), await open(), await open()]
      for (let nr = 0; nr < 50; nr++) {
        const users = Array.from({ length: 20 }, (_, user) => `user_flushed${user}`)
        await Promise.all(users.map((id) => deliver(receiver, userAt(id, 1_000_000_000_000 + nr))))
      }
      await redis.flush()
      const flushedAt = Date.now()
      await Promise.all(workers.map((worker) => worker.work()))
      await vi.waitFor(() => expect(seen).toHaveLength(1_000), { timeout: 30_000, interval: 50 })
      expect(Date.now() - flushedAt).toBeLessThan(30_000)
      for (const ofUser of Map.groupBy(seen, (each) => each.split(' ')[0]).values())
        expect(ofUser).toEqual([...ofUser].sort())
    }, 90_000)
  })
})

function userAt(id: string, at: number) {
  return eventOf('user.updated', { id, updated_at: at }, at)
}
