/** Everything that a process does, through a pooler that gives each transaction another connection to the server. */

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync, type Handler } from '../../src/index.ts'
import { SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { describeWithPgBouncer, PgBouncer } from '../support/pgbouncer.ts'

const POOL_SIZE = 4

describeWithPgBouncer('through PgBouncer in transaction mode', (url, program) => {
  // Of its own, so that its locks are no other test's.
  const name = `pooled_${randomBytes(6).toString('hex')}`
  const syncs: ClerkSync[] = []
  let target: URL
  let bouncer: PgBouncer

  beforeAll(async () => {
    target = Object.assign(new URL(url), { pathname: `/${name}` })
    await direct(url, `create database "${name}"`)
    bouncer = await PgBouncer.start(program, target, POOL_SIZE)
  })
  afterAll(async () => {
    await Promise.all(syncs.map((sync) => sync.close()))
    await bouncer.stop()
    await direct(url, `drop database "${name}" with (force)`)
  })

  async function direct<Row>(address: string, text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: address })
    await client.connect()
    const { rows } = await client.query(text).finally(() => client.end())
    return rows as Row[]
  }

  function open(options: ClerkSyncOptions = {}): ClerkSync {
    const sync = createClerkSync({
      signingSecret: SECRET,
      database: bouncer.url(target),
      log: silent,
      ...options,
    })
    syncs.push(sync)
    return sync
  }

  const advisoryLocks = () =>
    direct(
      target.href,
      `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = '${name}')`,
    )

  /** What each connection to the server still has of those who used it. */
  async function leftBehind(): Promise<unknown[]> {
    const clients = await Promise.all(
      Array.from({ length: POOL_SIZE }, async () => {
        const client = new pg.Client({ connectionString: bouncer.url(target) })
        await client.connect()
        await client.query('begin')
        return client
      }),
    )
    const states = await Promise.all(
      clients.map(async (client) => {
        const { rows } = await client.query(`
          select current_setting('statement_timeout') as statement_timeout, current_setting('lock_timeout') as lock_timeout,
            current_setting('idle_in_transaction_session_timeout') as idle_timeout, current_setting('jit') as jit,
            current_setting('search_path') as search_path, array(select pg_listening_channels()) as channels`)
        await client.query('rollback')
        await client.end()
        return rows[0]
      }),
    )
    return states
  }

  it('twenty migrations at once end within seconds, and leave no lock', async () => {
    const startedAt = performance.now()
    const ran = await Promise.all(Array.from({ length: 20 }, () => open().migrate()))
    expect(ran.filter((names) => names.length > 0)).toHaveLength(1)
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(await advisoryLocks()).toEqual([])
  })

  it('deliveries of two receivers with handlers are applied and handled once, and nothing is left behind', async () => {
    const before = await leftBehind()
    const handled: string[] = []
    const receivers = [open(), open()]
    for (const sync of receivers) {
      const handle: Handler<'user.created'> = async ({ event, tx }) => {
        await tx.query('select 1')
        handled.push(event.data.id)
      }
      sync.on('user.created', handle, { name: 'done' })
      await sync.work()
    }
    const ids = Array.from({ length: 200 }, (_, at) => `user_pooled${at}`)
    const receipts = await Promise.all(
      ids.map((id, at) => deliver(receivers[at % 2] as ClerkSync, eventOf('user.created', { id }))),
    )
    expect(receipts.every(({ outcome }) => outcome === 'applied')).toBe(true)
    await expect.poll(() => handled.length).toBe(ids.length)
    expect(new Set(handled).size).toBe(ids.length)
    await receivers[0]?.check()
    await Promise.all(syncs.splice(0).map((sync) => sync.close()))
    expect(await leftBehind()).toEqual(before)
    expect(await advisoryLocks()).toEqual([])
  })
})
