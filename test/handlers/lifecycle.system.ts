/** When handlers may be registered and started, and what they are told of an event that has lost its secrets. */

import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { bullmq } from '../../src/handlers/engines/bullmq.ts'
import { limited } from '../../src/handlers/limited-log.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { describeWithRedis } from '../support/redis.ts'
import { RedisServer } from '../support/redis-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const PATIENT = { timeout: 10_000, interval: 20 }
/** REDIS_STOPS_SECONDS=60 npx vitest run test/handlers/lifecycle.system.ts stops it for much longer than a lease. */
const REDIS_STOPS_SECONDS = Number(process.env.REDIS_STOPS_SECONDS ?? 8)
let made = 0

const newUser = () => eventOf('user.created', { id: `user_lifecycle${made++}` })

async function statusesOf(sync: ClerkSync, handler: string): Promise<string[]> {
  const runs = sync.database.selectFrom('handler_runs').select('status').where('handler', '=', handler)
  return (await runs.execute()).map(({ status }) => status)
}

describeEachDatabase('handlers', (database) => {
  async function opened() {
    const sync = await database.open()
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    return { sync, name: `lifecycle-${made++}` }
  }

  it('work once, however often they are told to', async () => {
    const { sync, name } = await opened()
    const seen: string[] = []
    sync.on('user.created', ({ eventId }) => seen.push(eventId), { name })
    await Promise.all([sync.work(), sync.work()])
    await sync.work()
    const { svixId } = await deliver(sync, newUser())
    await vi.waitFor(() => expect(seen).toEqual([svixId]), PATIENT)
    await sync.close()
    await expect(sync.work()).rejects.toMatchObject({ code: 'shutting_down' })
  })

  it('may be registered after somebody has looked at them, but not once events are recorded', async () => {
    const { sync, name } = await opened()
    const dashboard = createDashboardHandler(sync, { environment: 'development' })
    for (const path of ['overview', 'handlers', 'failures']) {
      const request = new Request(`http://localhost/dashboard/api/${path}`, {
        headers: { host: 'localhost' },
      })
      expect((await dashboard(request, { remoteAddress: '127.0.0.1' })).status).toBe(200)
    }
    await sync.handlers.list()
    await sync.work()
    sync.on('user.created', () => undefined, { name })
    await deliver(sync, newUser())
    expect(() => sync.on('user.created', () => undefined, { name: 'late' })).toThrow(
      expect.objectContaining({ code: 'handler_late' }),
    )
    await sync.work()
    await vi.waitFor(async () => expect(await statusesOf(sync, name)).toEqual(['succeeded']), PATIENT)
  })

  it('are told that the secrets of an event were forgotten, and get no message without its code by default', async () => {
    const { sync, name } = await opened()
    const seen: object[] = []
    let isDown = true
    const handle = ({ event, secretsForgotten }: { event: { data: object }; secretsForgotten: boolean }) => {
      seen.push({ code: (event.data as { data: { otp_code: string } }).data.otp_code, secretsForgotten })
      if (isDown) throw new Error('smtp is down')
    }
    sync.on('email.created', handle, { name, retries: 0 })
    sync.on('email.created', handle, { name: `${name}-accepts`, retries: 0, acceptsForgottenSecrets: true })
    await deliver(sync, eventOf('email.created', { id: `ema_${made++}`, data: { otp_code: '424242' } }))
    await sync.drain()
    expect(seen).toEqual(Array(2).fill({ code: '424242', secretsForgotten: false }))
    isDown = false
    const filter = { handlers: [name, `${name}-accepts`] }
    expect(await sync.handlers.count({ ...filter, secretsForgotten: true })).toBe(2)
    expect(await sync.handlers.count({ ...filter, secretsForgotten: false })).toBe(0)
    await sync.handlers.retry(filter, { perSecond: 1_000 })
    await sync.drain()
    expect(seen.slice(2)).toEqual([{ code: '[redacted]', secretsForgotten: true }])
    expect(await statusesOf(sync, name)).toEqual(['dead'])
    expect(await statusesOf(sync, `${name}-accepts`)).toEqual(['succeeded'])
  })

  it('forget runs that were finished long ago, and no others', async () => {
    const { sync, name } = await opened()
    sync.on(
      'user.created',
      ({ event }) => {
        if (event.data.id.endsWith('bad')) throw new Error('always')
      },
      { name, retries: 0 },
    )
    const ids = [`user_old${made++}`, `user_old${made++}bad`, `user_new${made++}`]
    const receipts = []
    for (const id of ids) receipts.push(await deliver(sync, eventOf('user.created', { id })))
    await sync.drain()
    const old = new Date(Date.now() - 100 * 86_400_000)
    await sync.database
      .updateTable('handler_runs')
      .set({ created_at: old, finished_at: old })
      .where(
        'event_id',
        'in',
        receipts.slice(0, 2).map(({ svixId }) => svixId),
      )
      .execute()
    expect(await sync.maintain()).toMatchObject({ forgotten: { runs: { rows: 1 } } })
    expect((await statusesOf(sync, name)).sort()).toEqual(['dead', 'succeeded'])
    expect(await sync.maintain()).toMatchObject({ forgotten: { runs: { rows: 0 } } })
  })

  it('leave promises behind that reject, which ends no process', async () => {
    const errors: object[] = []
    const log = { ...silent, error: (fields: object) => errors.push(fields) }
    const sync = await database.open({ log })
    onTestFinished(() => sync.close())
    const name = `stray-${made++}`
    const handle = () => {
      void sleep(5).then(() => Promise.reject(new Error('nobody waits for this')))
    }
    sync.on('user.created', handle, { name })
    await sync.work()
    const { svixId } = await deliver(sync, newUser())
    const expected = { handler: name, eventId: svixId, cause: 'nobody waits for this' }
    await vi.waitFor(() => expect(errors).toContainEqual(expected), PATIENT)
  })
})

describeWithPostgres('work, when the database is away', (url) => {
  it('fails, and works when it is called again', async () => {
    const proxy = await TcpProxy.to(new URL(url))
    onTestFinished(() => proxy.close())
    const sync = await postgresDatabase(url).open({ database: proxy.url(new URL(url)) })
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    const seen: string[] = []
    sync.on('user.created', ({ eventId }) => seen.push(eventId), { name: 'again' })
    proxy.refuses = true
    proxy.cut()
    await expect(sync.work()).rejects.toMatchObject({ code: 'database_unavailable' })
    proxy.refuses = false
    await sync.work()
    const { svixId } = await deliver(sync, newUser())
    const startedAt = Date.now()
    await vi.waitFor(() => expect(seen).toEqual([svixId]), PATIENT)
    expect(Date.now() - startedAt).toBeLessThan(1_000)
  })
})

describeWithRedis('a Redis that hangs', () => {
  describeWithPostgres('for seconds', (url) => {
    it('repeats no finished effect, and holds up neither deliveries nor the end', async () => {
      const redis = (await RedisServer.start()) as RedisServer
      onTestFinished(() => redis.stop())
      const sync = await postgresDatabase(url).open({ engine: bullmq({ connection: redis.url }) })
      const effects: string[] = []
      sync.on('user.created', ({ eventId }) => effects.push(eventId), { name: 'effect', ordered: true })
      await sync.work()
      const ids = [(await deliver(sync, newUser())).svixId]
      redis.signal('SIGSTOP')
      for (let second = 0; second < REDIS_STOPS_SECONDS; second++) {
        const startedAt = Date.now()
        ids.push((await deliver(sync, newUser())).svixId)
        expect(Date.now() - startedAt).toBeLessThan(2_000)
        await sleep(1_000)
      }
      await vi.waitFor(
        async () => expect(await statusesOf(sync, 'effect')).toEqual(ids.map(() => 'succeeded')),
        PATIENT,
      )
      redis.signal('SIGCONT')
      await sleep(1_000)
      expect([...effects].sort()).toEqual([...ids].sort())
      redis.signal('SIGSTOP')
      const closingAt = Date.now()
      await sync.close()
      expect(Date.now() - closingAt).toBeLessThan(10_000)
    }, 150_000)
  })
})

describe('the log of an engine in trouble', () => {
  it('writes the first of equal lines at once, and the others as a number', async () => {
    const lines: object[] = []
    const log = limited({ ...silent, warn: (fields) => void lines.push(fields) }, 50)
    for (let count = 0; count < 100; count++) log.warn({ count }, 'it is down')
    expect(lines).toEqual([{ count: 0 }])
    await sleep(80)
    expect(lines).toEqual([{ count: 0 }, { count: 0, again: 99 }])
  })
})
