/**
 * Established connections go dead without a word, new ones work: what a firewall that forgets them does, or a pooler that was
 * replaced. Whatever a process does, it goes on by itself within half a minute.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { ask } from '../dashboard/client.ts'
import { CliProcess, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const RECOVERY_MS = 30_000

describeWithPostgres('connections that go dead without a word', (url) => {
  const target = new URL(url)
  const database = postgresDatabase(url)
  const commands = postgresDatabase(url)
  const cwd = temporaryFolder()
  let proxy: TcpProxy
  let sync: ClerkSync
  let backend: BackendApi
  let handled = 0

  beforeAll(async () => {
    await database.open()
    proxy = await TcpProxy.to(target)
    const clerk = createSimulatedClerk({ seed: 3 })
    for (let users = 0; users < 30; users++) clerk.act('createUser')
    backend = await startBackendApi(clerk)
    const { schema } = await database.location()
    sync = createClerkSync({
      signingSecret: SECRET,
      database: proxy.url(target),
      schema,
      log: silent,
      secretKey: backend.secretKey,
      apiUrl: backend.url,
      apiPageSize: 20,
    })
    sync.on('user.created', () => void handled++, { name: 'counts' })
    await sync.work()
  })
  afterAll(async () => {
    await sync.close()
    await backend.close()
    await proxy.close()
  })

  /** Until it works again; what fails meanwhile fails within that time too. */
  async function recovered(what: string, attempt: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    for (;;) {
      const isDone = await attempt().then(
        () => true,
        () => false,
      )
      const elapsed = performance.now() - startedAt
      if (elapsed > RECOVERY_MS) throw new Error(`${what} took ${Math.round(elapsed)} ms to recover`)
      if (isDone) return
      await sleep(50)
    }
  }

  /** A query of each of the pool's connections, all of which wait for their answer. */
  const reads = () =>
    Promise.all(Array.from({ length: 10 }, () => sql`select pg_sleep(0.1)`.execute(sync.database)))

  it.concurrent('hold up no role for longer than half a minute', { timeout: 120_000 }, async () => {
    const direct = await database.open()
    const slow = sql`select pg_sleep(23)`.execute(direct.database)
    const dashboard = createDashboardHandler(sync)
    const roles: Record<string, () => Promise<unknown>> = {
      receiver: () => deliver(sync, eventOf('user.created')),
      readiness: () => sync.check(),
      dashboard: () => ask(dashboard, 'GET overview'),
      'the read API': reads,
      backfill: () => sync.backfill(),
      maintenance: () => sync.maintain(),
      migrate: () => sync.migrate(),
      // Handlers run at most so often as events come: each delivery is one.
      worker: async () => {
        const before = handled
        await deliver(sync, eventOf('user.created'))
        await expect.poll(() => handled, { timeout: 20_000 }).toBeGreaterThan(before)
      },
    }
    // All of them have used their connections, and all are under way when those go dead.
    await Promise.all(Object.values(roles).map((role) => role()))
    const underWay = Object.values(roles).map((role) => role().catch(() => undefined))
    await sleep(20)
    proxy.silence()
    await Promise.all(Object.entries(roles).map(([name, role]) => recovered(name, role)))
    await Promise.all(underWay)
    // Silence alone is no fault: Postgres was asked, and still worked on it.
    await slow
  })

  it.concurrent('end a command with an error within that time', { timeout: 120_000 }, async () => {
    const other = await TcpProxy.to(target)
    const blocked = await commands.open()
    const { schema } = blocked.location
    const env = { DATABASE_URL: other.url(target), CLERK_SYNC_SCHEMA: schema }
    const tables = sql`${sql.id(schema, 'events')}, ${sql.id(schema, 'migrations')}`
    // The last one uses several connections.
    const words = [['migrate'], ['events', 'list'], ['status']]
    const running: CliProcess[] = []
    // What keeps them waiting for an answer until their connections are dead.
    await blocked.database.transaction().execute(async (transaction) => {
      await sql`lock table ${tables} in access exclusive mode`.execute(transaction)
      const waiting = sql<{ count: number }>`select count(distinct pid)::integer as count from pg_locks
        where not granted and relation = any(array[${sql.lit(`${schema}.events`)}, ${sql.lit(`${schema}.migrations`)}]::regclass[])`
      for (const args of words) {
        running.push(new CliProcess(args, { cwd: await cwd(), env }))
        const countWaiting = async () => (await waiting.execute(transaction)).rows[0]?.count
        await expect.poll(countWaiting, { timeout: 60_000 }).toBeGreaterThanOrEqual(running.length)
      }
      other.silence()
    })
    const startedAt = performance.now()
    const ends = await Promise.all(running.map(({ ended }) => ended))
    expect(performance.now() - startedAt).toBeLessThan(RECOVERY_MS)
    expect(ends.map(({ code }) => code)).toEqual([1, 1, 1])
    await other.close()
  })
})
