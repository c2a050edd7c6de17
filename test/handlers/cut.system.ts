/**
 * A worker whose connections are cut, at each of the moments at which it has something to say to the database: that is heard,
 * and the answer lost. It lives on, and has to find out what became of it.
 */

import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type ClerkSync, createClerkSync, type HandlerContext, type HandlerOptions } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

/** More than a worker says until it has nothing more to do. */
const MOST_MOMENTS = 100
const AT_ONCE = 5

interface Run {
  readonly status: string
  readonly attempts: number
  readonly history: object | null
}

describeWithPostgres('a worker whose connections are cut', (url) => {
  const database = postgresDatabase(url)

  it.each([
    { what: 'that writes elsewhere', options: {} },
    { what: 'that writes in its transaction, in order', options: { ordered: true }, usesTransaction: true },
    { what: 'without retries', options: { retries: 0 } },
  ])(
    'ends every run of a handler $what within seconds, and counts no try',
    async ({ options, usesTransaction }) => {
      const sync = await database.open()
      let serial = 0
      let isOver = false
      const lane = async () => {
        while (!isOver) {
          const moment = ++serial
          const { calls, run, wasCut } = await cutAt(sync, moment, options, usesTransaction)
          isOver ||= !wasCut
          expect({ moment, run }).toEqual({
            moment,
            run: { status: 'succeeded', attempts: 1, history: null },
          })
          if (options.retries === 0) expect({ moment, calls }).toEqual({ moment, calls: 1 })
          expect(serial).toBeLessThan(MOST_MOMENTS)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
      expect(serial).toBeGreaterThan(10)
    },
  )

  async function cutAt(sync: ClerkSync, moment: number, options: HandlerOptions, usesTransaction = false) {
    const name = `cut-${moment}-${Object.keys(options)}-${usesTransaction}`
    const { svixId } = await deliver(sync, eventOf('user.created', { id: `user_${name}` }))
    const { schema } = await database.location()
    await sql`insert into ${sql.id(schema, 'handler_runs')} (event_id, handler, order_key, occurred_at)
      values (${svixId}, ${name}, ${options.ordered ? svixId : null}, now())`.execute(sync.database)
    const proxy = await TcpProxy.to(new URL(url))
    onTestFinished(() => proxy.close())
    let [said, calls] = [0, 0]
    const address = proxy.url(new URL(url))
    const worker = createClerkSync({ signingSecret: SECRET, log: silent, database: address, schema })
    const handle = async ({ tx }: HandlerContext<'user.created'>) => {
      calls++
      if (usesTransaction) await tx.query('select 1')
    }
    worker.on('user.created', handle, { ...options, name })
    proxy.cutAfter = () => {
      if (++said !== moment) return false
      queueMicrotask(() => {
        proxy.kill()
        proxy.refuses = false
      })
      return true
    }
    const find = async () => {
      const rows = await sql<Run>`
        select status, attempts, history from ${sql.id(schema, 'handler_runs')} where handler = ${name}`.execute(
        sync.database,
      )
      return rows.rows[0] as Run
    }
    // The first start says so if the database is away.
    await worker.work().catch(() => worker.work())
    await vi
      .waitFor(async () => expect((await find()).status).toMatch(/succeeded|dead/), {
        timeout: 15_000,
        interval: 20,
      })
      .catch(() => undefined)
    const run = await find()
    const wasCut = said >= moment
    proxy.cutAfter = undefined
    await worker.close({ handlerGraceMs: 0 })
    return { calls, run, wasCut }
  }
})
