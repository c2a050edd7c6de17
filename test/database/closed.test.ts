/** After `close`, everything refuses with the same code, and nothing is opened again. */

import { expect, it } from 'vitest'
import { postgres } from '../../src/handlers/engines/postgres.ts'
import type { ClerkSync, EngineFactory } from '../../src/index.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'

const CALLS: Record<string, (sync: ClerkSync) => Promise<unknown>> = {
  receive: (sync) => deliver(sync, eventOf('user.created')),
  check: (sync) => sync.check(),
  work: (sync) => sync.work(),
  drain: (sync) => sync.drain(),
  maintain: (sync) => sync.maintain(),
  migrate: (sync) => sync.migrate(),
  replay: (sync) => sync.replay({}),
  'handlers.list': (sync) => sync.handlers.list(),
  database: (sync) => sync.database.selectFrom('users').select('id').execute(),
}

describeEachDatabase('a sync that is closed', (database) => {
  it.each(Object.keys(CALLS))('refuses %s', async (name) => {
    const sync = await database.open()
    sync.on('user.created', () => undefined, { name: 'counts' })
    await sync.close()
    await expect(CALLS[name]?.(sync)).rejects.toMatchObject({ code: 'shutting_down', status: 503 })
  })

  it('answers deliveries 503, and is closed once', async () => {
    const sync = await database.open()
    await Promise.all([sync.close(), sync.close()])
    const { headers, body } = sign(eventOf('user.created'))
    expect(await sync.handle({ method: 'POST', headers, body })).toMatchObject({ status: 503 })
  })
})

describeWithPostgres('a close of which a step fails', (url) => {
  const database = postgresDatabase(url)
  const failing: EngineFactory = {
    name: 'failing',
    create: (context) => {
      const engine = postgres().create(context)
      return new Proxy(engine, {
        get: (target, name) => {
          if (name === 'close') return () => Promise.reject(new Error('the queue is gone'))
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }

  it('goes on with the others, and tells of it at the end', async () => {
    const sync = await database.open({ engine: failing })
    sync.on('user.created', () => undefined, { name: 'counts' })
    await deliver(sync, eventOf('user.created'))
    await sync.work()
    await expect(sync.close()).rejects.toThrow('the queue is gone')
    await expect(sync.check()).rejects.toMatchObject({ code: 'shutting_down' })
    // Who opened it closes it again.
    sync.close = async () => undefined
  })
})
