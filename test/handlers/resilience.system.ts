/** What a worker survives: connections that go dead, connections that are cut, too few of them, a loss of its process. */

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { listenOnPostgres } from '../../src/database/listen.ts'
import { type ClerkSync, type ClerkSyncOptions, type EngineFactory, postgres } from '../../src/index.ts'
import { startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

/** HOLD_MS=3000 npx vitest run test/handlers/resilience.system.ts holds transactions for longer. */
const HOLD_MS = Number(process.env.HOLD_MS ?? 300)
/** BLOAT_RUNS=100000 prints how large the table of the runs becomes. */
const BLOAT_RUNS = Number(process.env.BLOAT_RUNS ?? 500)
let made = 0

interface Bloat {
  readonly updates: number
  readonly inPlace: number
  readonly bytes: number
  readonly indexBytes: number
}

const newUser = (id = `user_resilient${made++}`, at = Date.now()) =>
  eventOf('user.updated', { id, created_at: at, updated_at: at }, at)

/** An engine that takes nothing, as one whose server is lost. */
const lostEngine: EngineFactory = {
  name: 'lost',
  create: () => ({
    lookEveryMs: 5_000,
    wake: () => Promise.reject(new Error('it is lost')),
    work: async () => undefined,
    rest: async () => undefined,
    close: async () => undefined,
  }),
}

async function runsOf(sync: ClerkSync, handler?: string) {
  const runs = sync.database.selectFrom('handler_runs').selectAll()
  return (handler === undefined ? runs : runs.where('handler', '=', handler)).execute()
}

function untilSucceeded(sync: ClerkSync, count: number, timeout = 30_000) {
  const finished = async () =>
    expect((await runsOf(sync)).filter(({ status }) => status === 'succeeded')).toHaveLength(count)
  return vi.waitFor(finished, { timeout, interval: 50 })
}

const CONFIG = fileURLToPath(new URL('./crash-config.ts', import.meta.url))

describeWithPostgres('a worker', (url) => {
  const folder = temporaryFolder()

  async function opened(options: ClerkSyncOptions = {}) {
    const database = postgresDatabase(url)
    const open = async (more: ClerkSyncOptions = {}) => {
      const sync = await database.open({ ...options, ...more })
      onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
      return sync
    }
    return { sync: await open(), open }
  }

  async function throughProxy() {
    const proxy = await TcpProxy.to(new URL(url))
    onTestFinished(() => proxy.close())
    const { sync, open } = await opened()
    return { proxy, sync, behind: await open({ database: proxy.url(new URL(url)) }) }
  }

  it('recovers within 30 seconds when its connections go dead without a word, and can still be closed', async () => {
    const { proxy, sync, behind } = await throughProxy()
    const started = Promise.withResolvers<void>()
    for (const name of ['first', 'second']) {
      const handle = async ({ tx }: { tx: { query(text: string): Promise<unknown> } }) => {
        await tx.query('select 1')
        started.resolve()
        await tx.query('select pg_sleep(0.3)')
      }
      behind.on('user.updated', handle, { name })
      sync.on('user.updated', () => undefined, { name })
    }
    await behind.work()
    for (let count = 0; count < 6; count++) await deliver(sync, newUser())
    await started.promise
    proxy.silence()
    for (let count = 0; count < 6; count++) await deliver(sync, newUser())
    await untilSucceeded(sync, 24, 30_000)
    proxy.silence()
    const startedAt = Date.now()
    await behind.close()
    expect(Date.now() - startedAt).toBeLessThan(10_000)
  }, 60_000)

  it('is a process that ends with 0 when it is told to, though its connections are dead', async () => {
    const database = postgresDatabase(url)
    await database.open()
    const proxy = await TcpProxy.to(new URL(url))
    onTestFinished(() => proxy.close())
    const { schema } = await database.location()
    const env = {
      DATABASE_URL: proxy.url(new URL(url)),
      CLERK_SYNC_SCHEMA: schema,
      EFFECTS: `"${schema}".effects`,
    }
    const worker = await startCli(['--role', 'worker', '--config', CONFIG], { cwd: await folder(), env })
    onTestFinished(() => void worker.stop('SIGKILL'))
    proxy.silence()
    const startedAt = Date.now()
    expect((await worker.stop()).code).toBe(0)
    expect(Date.now() - startedAt).toBeLessThan(20_000)
  }, 60_000)

  it('does not count a try whose connection was cut', async () => {
    const { proxy, sync, behind } = await throughProxy()
    const started = Promise.withResolvers<void>()
    let calls = 0
    const handle = async ({ tx }: { tx: { query(text: string): Promise<unknown> } }) => {
      calls++
      await tx.query('select 1')
      started.resolve()
      await tx.query(`select pg_sleep(${calls === 1 ? 5 : 0})`)
    }
    behind.on('user.updated', handle, { name: 'cut' })
    sync.on('user.updated', () => undefined, { name: 'cut' })
    await behind.work()
    await deliver(sync, newUser())
    await started.promise
    proxy.cut()
    await untilSucceeded(sync, 1, 15_000)
    expect(await runsOf(sync)).toMatchObject([{ attempts: 1, history: null }])
    expect(calls).toBe(2)
  }, 30_000)

  it('lets handlers wait for a connection, which is neither a failure nor their time, and starves nobody else', async () => {
    const { sync } = await opened()
    const running = new Set<string>()
    for (const name of ['holds-1', 'holds-2', 'holds-3', 'holds-4']) {
      const handle = async ({ tx }: { tx: { query(text: string): Promise<unknown> } }) => {
        await tx.query('select 1')
        running.add(name)
        await sleep(HOLD_MS)
      }
      sync.on('user.updated', handle, { name, timeoutSeconds: (2 * HOLD_MS) / 1_000 })
    }
    const delays: number[] = []
    const beside = ({ event }: { event: { timestamp?: number | undefined } }) =>
      delays.push(Date.now() - Number(event.timestamp))
    sync.on('user.deleted', beside, { name: 'beside' })
    await sync.work()
    await Promise.all(Array.from({ length: 20 }, () => deliver(sync, newUser())))
    await vi.waitFor(() => expect(running.size).toBe(4), { timeout: 4 * HOLD_MS + 5_000 })
    // Every connection of handlers is held; deliveries, other handlers and the app's own queries go on.
    for (let nr = 0; nr < 5; nr++) {
      const startedAt = Date.now()
      await deliver(sync, eventOf('user.deleted', { id: `user_beside${nr}`, deleted: true }, Date.now()))
      await sql`select 1`.execute(sync.database)
      expect(Date.now() - startedAt).toBeLessThan(1_000)
    }
    await vi.waitFor(() => expect(delays).toHaveLength(5), { timeout: 5_000 })
    expect(Math.max(...delays)).toBeLessThan(2_000)
    await untilSucceeded(sync, 85, 30_000 + 15 * HOLD_MS)
    expect((await runsOf(sync)).filter(({ attempts, history }) => attempts > 1 || history)).toEqual([])
  }, 120_000)

  it('counts nothing as failed whose claim was lost before its transaction ended', async () => {
    const lines: object[] = []
    const log = {
      ...silent,
      info: (fields: object) => lines.push(fields),
      warn: (fields: object) => lines.push(fields),
    }
    const { sync } = await opened({ log })
    let calls = 0
    const handle = async ({
      eventId,
      tx,
    }: {
      eventId: string
      tx: { query(text: string): Promise<unknown> }
    }) => {
      await tx.query('select 1')
      if (++calls > 1) return
      // As a worker does that takes over.
      await sync.database
        .updateTable('handler_runs')
        .set({ status: 'retrying', claim: null })
        .where('event_id', '=', eventId)
        .execute()
    }
    sync.on('user.updated', handle, { name: 'taken' })
    await deliver(sync, newUser())
    expect(await sync.drain()).toEqual({ succeeded: 0, failed: 0 })
    expect(await sync.drain()).toEqual({ succeeded: 1, failed: 0 })
    expect(calls).toBe(2)
    const endings = lines.flatMap((line) => ('ending' in line ? [line.ending] : []))
    expect(endings).toEqual(['interrupted', 'handled'])
    expect(await runsOf(sync)).toMatchObject([{ status: 'succeeded', history: null }])
  })

  it('calls a handler without retries exactly once: again if it was not called, and never twice', async () => {
    const { sync } = await opened()
    const calls: string[] = []
    sync.on('user.updated', ({ eventId, attempt }) => calls.push(`${eventId} ${attempt}`), {
      name: 'once',
      retries: 0,
    })
    const claimed = await deliver(sync, newUser())
    const called = await deliver(sync, newUser())
    const values = { id: 'gone', lease_until: new Date(0) }
    await sync.database.insertInto('handler_workers').values(values).execute()
    const lost = { status: 'running', attempts: 1, claim: 'lost', worker: 'gone' } as const
    await sync.database.updateTable('handler_runs').set(lost).execute()
    await sync.database
      .updateTable('handler_runs')
      .set({ started_at: new Date() })
      .where('event_id', '=', called.svixId)
      .execute()
    await sync.drain()
    expect(calls).toEqual([`${claimed.svixId} 1`])
    const statuses = new Map((await runsOf(sync)).map(({ event_id, status }) => [event_id, status]))
    expect(statuses.get(claimed.svixId)).toBe('succeeded')
    expect(statuses.get(called.svixId)).toBe('dead')
  })

  it('finishes a thousand ordered runs that no engine wakes anybody for within 30 seconds, with one other', async () => {
    const { sync, open } = await opened({ engine: lostEngine })
    const seen: string[] = []
    const workers = [await open(), await open()]
    for (const each of [sync, ...workers]) {
      each.on('user.updated', ({ event }) => seen.push(`${event.data.id} ${event.timestamp}`), {
        name: 'ordered',
        ordered: true,
      })
    }
    for (let nr = 0; nr < 50; nr++) {
      const events = Array.from({ length: 20 }, (_, user) => newUser(`user_line${user}`, 1_000_000 + nr))
      await Promise.all(events.map((event) => deliver(sync, event)))
    }
    const startedAt = Date.now()
    await Promise.all(workers.map((worker) => worker.work()))
    await vi.waitFor(() => expect(seen).toHaveLength(1_000), { timeout: 30_000, interval: 50 })
    expect(Date.now() - startedAt).toBeLessThan(30_000)
    for (const ofUser of Map.groupBy(seen, (each) => each.split(' ')[0]).values()) {
      expect(ofUser).toEqual([...ofUser].sort())
    }
  }, 90_000)

  it('starts the events of busy resources within a second, in another process', async () => {
    const { sync, open } = await opened()
    const delays: number[] = []
    const handle = async ({ event }: { event: { timestamp?: number | undefined } }) => {
      delays.push(Date.now() - Number(event.timestamp))
      await sleep(100)
    }
    const worker = await open()
    for (const each of [sync, worker]) each.on('user.updated', handle, { name: 'hot', ordered: true })
    await worker.work()
    for (let nr = 0; nr < 8; nr++) {
      await Promise.all(['user_hot1', 'user_hot2', 'user_hot3'].map((id) => deliver(sync, newUser(id))))
      await sleep(500)
    }
    await vi.waitFor(() => expect(delays).toHaveLength(24), { timeout: 5_000 })
    expect(Math.max(...delays)).toBeLessThan(1_000)
  }, 30_000)

  it('polls where no notification arrives, says so once, and starts runs within a second', async () => {
    const warnings: string[] = []
    const log = { debug() {}, info() {}, warn: (_: object, text: string) => warnings.push(text), error() {} }
    // Listening in another database is what a pooler makes of it: nothing ever arrives.
    const elsewhere = new URL(url)
    elsewhere.pathname = '/template1'
    const deaf: EngineFactory = {
      name: 'deaf',
      create: (context) => {
        const listen = listenOnPostgres({ connectionString: elsewhere.href })
        return postgres().create({ ...context, log, database: { ...context.database, listen } })
      },
    }
    const { sync, open } = await opened()
    const worker = await open({ engine: deaf })
    const startedAt: number[] = []
    for (const each of [sync, worker])
      each.on('user.updated', () => startedAt.push(Date.now()), { name: 'polled' })
    await worker.work()
    await vi.waitFor(() => expect(warnings).toHaveLength(1), { timeout: 10_000 })
    for (let count = 1; count <= 3; count++) {
      await deliver(sync, newUser())
      const deliveredAt = Date.now()
      await vi.waitFor(() => expect(startedAt).toHaveLength(count), { timeout: 5_000, interval: 10 })
      expect((startedAt.at(-1) as number) - deliveredAt).toBeLessThan(1_000)
    }
    expect(warnings).toEqual([expect.stringContaining('workers poll instead')])
  }, 30_000)

  it('updates runs in place, of each two updates the claim, and stays small while somebody reads an old snapshot', async () => {
    const { sync } = await opened()
    sync.on('user.updated', () => undefined, { name: 'in-place', concurrency: 100 })
    const reader = new pg.Client(url)
    await reader.connect()
    onTestFinished(() => reader.end())
    await reader.query('begin isolation level repeatable read')
    await reader.query('select 1')
    await sync.work()
    for (let sent = 0; sent < BLOAT_RUNS; sent += 100) {
      await Promise.all(Array.from({ length: 100 }, () => deliver(sync, newUser())))
    }
    await untilSucceeded(sync, BLOAT_RUNS, 60_000)
    const table = `"${sync.location.schema}".handler_runs`
    const find = async () => {
      const { rows } = await sql<Bloat>`
        select n_tup_upd::integer as updates, n_tup_hot_upd::integer as "inPlace",
          pg_table_size(relid)::integer as bytes, pg_indexes_size(relid)::integer as "indexBytes"
        from pg_stat_all_tables where relid = ${table}::regclass`.execute(sync.database)
      return rows[0] as Bloat
    }
    await vi.waitFor(async () => expect((await find()).updates).toBe(2 * BLOAT_RUNS), { timeout: 20_000 })
    const { inPlace, bytes, indexBytes } = await find()
    if (process.env.BLOAT_RUNS) console.log({ runs: BLOAT_RUNS, inPlace, bytes, indexBytes })
    expect(inPlace / (2 * BLOAT_RUNS)).toBeGreaterThan(0.4)
    // Three versions of each row, and five small entries in indexes.
    expect(bytes / BLOAT_RUNS).toBeLessThan(1_000)
    expect(indexBytes / BLOAT_RUNS).toBeLessThan(1_500)
  }, 600_000)
})
