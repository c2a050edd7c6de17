/**
 * Runs per second of handlers that do nothing, beside the bare engines; the time from commit to start; and what handlers
 * cost those who only receive. `npm run handlers --prefix bench`
 *
 * One thing at a time, in turns. All runs wait before a worker starts, and are over when the engine's own books say so.
 * Ten and a hundred runs are under way at a time, in the engines as in ours; each is settled by itself. A run of ours is
 * besides claimed and written down in the table, with its event and its row read.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { PgBoss } from 'pg-boss'
import { bullmq } from '../src/handlers/engines/bullmq.ts'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync } from '../src/index.ts'
import { signDelivery } from '../src/testing/index.ts'
import { createDatabase, type OwnDatabase, readValue } from './database.ts'
import type { HandlersWorker } from './handlers-worker.ts'
import { newUsers } from './load/events.ts'
import { SECRET } from './load/requests.ts'
import { describeMachine, machineLines } from './machine.ts'
import { readOptions } from './options.ts'
import { Child } from './processes.ts'
import { type Aim, aimLine, progress, quantile, spread, table, wholeSpread } from './report.ts'

const REDIS_URL = process.env.BENCH_REDIS_URL || process.env.TEST_REDIS_URL || 'redis://127.0.0.1:6379'
const PREFIX = `clerk-sync-bench-${process.pid}`
const NAME = 'nothing'
const AT_ONCE = 64
const IDLE_EVENTS = 100
const IDLE_PAUSE_MS = 20

const { rounds, events, short, json } = readOptions({ seconds: 0, rounds: 2 })
const RUNS = events ?? (short ? 500 : 10_000)
/** Without an engine, the default one. */
const ENGINES = { default: {}, bullmq: { engine: bullmq({ connection: REDIS_URL, prefix: PREFIX }) } }
const redis = { connection: { url: REDIS_URL }, prefix: PREFIX }
let schemas = 0

type Measurement = (database: OwnDatabase) => Promise<number>

const MEASUREMENTS = {
  'bare pg-boss, 10 at a time, runs/s': (database) => runBarePgBoss(database, 10),
  'clerk-sync, default engine, 10 at a time, runs/s': (database) => runOurs(database, 'default', 10),
  'bare pg-boss, 100 at a time, runs/s': (database) => runBarePgBoss(database, 100),
  'clerk-sync, default engine, 100 at a time, runs/s': (database) => runOurs(database, 'default', 100),
  'bare BullMQ, 10 at a time, runs/s': () => runBareBullmq(10),
  'clerk-sync on BullMQ, 10 at a time, runs/s': (database) => runOurs(database, 'bullmq', 10),
  'bare BullMQ, 100 at a time, runs/s': () => runBareBullmq(100),
  'clerk-sync on BullMQ, 100 at a time, runs/s': (database) => runOurs(database, 'bullmq', 100),
  'events/s received with no handler': ({ url }) => ingest(url, 0),
  'events/s received with 5 handlers': ({ url }) => ingest(url, 5),
  'commit to start when idle, same process, p50 in µs': ({ url }) => startHere(url),
  'commit to start when idle, another process, p50 in µs': ({ url }) => startElsewhere(url),
} as const satisfies Record<string, Measurement>

type Name = keyof typeof MEASUREMENTS

const RATIOS: readonly { of: Name; to: Name; atLeast: number }[] = [
  {
    of: 'clerk-sync, default engine, 10 at a time, runs/s',
    to: 'bare pg-boss, 10 at a time, runs/s',
    atLeast: 1,
  },
  {
    of: 'clerk-sync, default engine, 100 at a time, runs/s',
    to: 'bare pg-boss, 100 at a time, runs/s',
    atLeast: 0.5,
  },
  {
    of: 'clerk-sync on BullMQ, 10 at a time, runs/s',
    to: 'bare BullMQ, 10 at a time, runs/s',
    atLeast: 0.4,
  },
  {
    of: 'clerk-sync on BullMQ, 100 at a time, runs/s',
    to: 'bare BullMQ, 100 at a time, runs/s',
    atLeast: 0.4,
  },
  { of: 'events/s received with 5 handlers', to: 'events/s received with no handler', atLeast: 0.7 },
]

const LATENCIES: readonly { of: Name; atMost: number }[] = [
  { of: 'commit to start when idle, same process, p50 in µs', atMost: 3_000 },
  { of: 'commit to start when idle, another process, p50 in µs', atMost: 10_000 },
]

async function main(): Promise<void> {
  await using database = await createDatabase()
  const names = Object.keys(MEASUREMENTS) as Name[]
  const values = new Map(names.map((name) => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measured] of values) {
      measured.push(await MEASUREMENTS[name](database))
      progress(`${round === 0 ? 'warm-up' : `round ${round}`}: ${name}: ${measured.at(-1)?.toFixed(0)}`)
    }
  }
  const results = [...values].map(([name, [, ...counted]]) => ({ name, ...spread(counted) }))
  const aims = aimsOf(new Map(results.map(({ name, median }) => [name, median])))
  const machine = describeMachine(database.facts)
  if (json) return console.log(JSON.stringify({ machine, runs: RUNS, rounds, results, aims }, null, 2))
  const rows = results.map(({ name, ...values }) => [name, wholeSpread(values)])
  const method = `${RUNS} runs each, ${rounds} rounds, median (min–max)`
  console.log(
    [...machineLines(machine), method, '', table(['', ''], rows), '', ...aims.map(aimLine)].join('\n'),
  )
}

function aimsOf(medians: ReadonlyMap<Name, number>): Aim[] {
  const medianOf = (name: Name) => medians.get(name) ?? Number.NaN
  return [
    ...RATIOS.map(({ of, to, atLeast }) => ({
      name: `${of} / ${to}`,
      value: medianOf(of) / medianOf(to),
      atLeast,
    })),
    ...LATENCIES.map(({ of, atMost }) => ({ name: of, value: medianOf(of), atMost })),
  ]
}

async function runBarePgBoss({ url, client }: OwnDatabase, batchSize: number): Promise<number> {
  const schema = `bare_${schemas++}`
  const boss = new PgBoss({ connectionString: url, schema, useListenNotify: true, max: 3 })
  await boss.start()
  const text = `select count(*)::int from ${schema}.job where state = 'completed'`
  const done = async () => (await readValue<number>(client, text)) === RUNS
  try {
    await boss.createQueue(NAME, { notify: true })
    await boss.insert(NAME, payloads())
    const options = {
      batchSize,
      burstWhenBatchFull: true,
      perJobResults: true,
      pollingIntervalSeconds: 1,
    } as const
    const work = (count: (runs: number) => void) =>
      boss.work(NAME, options, async (jobs) => {
        count(jobs.length)
        return jobs.map(({ id }) => ({ id, status: 'completed' }))
      })
    return await perSecond(work, done)
  } finally {
    await boss.stop({ graceful: false, close: true })
  }
}

async function runBareBullmq(concurrency: number): Promise<number> {
  const queue = new Queue(`bare-${NAME}`, redis)
  await queue.addBulk(
    payloads().map((payload) => ({ name: 'run', ...payload, opts: { removeOnComplete: true } })),
  )
  let worker: Worker | undefined
  try {
    return await perSecond((count) => {
      worker = new Worker(queue.name, async () => count(1), { ...redis, concurrency })
    })
  } finally {
    await worker?.close()
    await queue.obliterate({ force: true })
    await queue.close()
  }
}

function payloads() {
  return Array.from({ length: RUNS }, (_, serial) => ({ data: { eventId: `msg_${serial}` } }))
}

/** From the first run until all have ended, and, where that can be asked, are written down as done. */
async function perSecond(work: (count: (runs: number) => void) => unknown, done?: () => Promise<boolean>) {
  const { promise, resolve } = Promise.withResolvers<void>()
  let handled = 0
  let startedAt = 0
  await work((runs) => {
    startedAt ||= performance.now()
    handled += runs
    if (handled >= RUNS) resolve()
  })
  await promise
  while (done && !(await done())) await sleep(2)
  return (RUNS / (performance.now() - startedAt)) * 1000
}

async function runOurs(
  { url, client }: OwnDatabase,
  engine: keyof typeof ENGINES,
  concurrency: number,
): Promise<number> {
  let count: (runs: number) => void = () => undefined
  const [sync, schema] = await open(url, ENGINES[engine])
  sync.on('user.created', () => count(1), { name: NAME, concurrency })
  const done = async () => {
    const text = `select count(*)::int from ${schema}.handler_runs where status = 'succeeded'`
    return (await readValue<number>(client, text)) === RUNS
  }
  try {
    await receive(sync, deliveries(RUNS))
    return await perSecond((counter) => {
      count = counter
      return sync.work()
    }, done)
  } finally {
    await sync.close()
    if (engine === 'bullmq') await forget()
  }
}

async function forget(): Promise<void> {
  const queue = new Queue(NAME, redis)
  await queue.obliterate({ force: true })
  await queue.close()
}

async function ingest(url: string, handlers: number): Promise<number> {
  const [sync] = await open(url)
  for (let serial = 0; serial < handlers; serial++)
    sync.on('user.created', () => undefined, { name: `${NAME}-${serial}` })
  const prepared = deliveries(RUNS)
  try {
    await receive(sync, deliveries(AT_ONCE))
    const startedAt = performance.now()
    await receive(sync, prepared)
    return (RUNS / (performance.now() - startedAt)) * 1000
  } finally {
    await sync.close()
  }
}

async function startHere(url: string): Promise<number> {
  const [sync] = await open(url)
  let started = Promise.withResolvers<bigint>()
  sync.on('user.created', () => started.resolve(process.hrtime.bigint()), { name: NAME })
  try {
    await sync.work()
    return await medianStart(sync, () => {
      started = Promise.withResolvers()
      return started.promise
    })
  } finally {
    await sync.close()
  }
}

/** This process only receives; another one only runs handlers. */
async function startElsewhere(url: string): Promise<number> {
  const [sync, schema] = await open(url)
  const worker = new Child<HandlersWorker>('./handlers-worker.ts')
  sync.on('user.created', () => undefined, { name: NAME })
  try {
    await worker.ask('work', { database: url, schema, name: NAME })
    return await medianStart(sync, () => worker.ask('nextStart', undefined))
  } finally {
    await worker.stop()
    await sync.close()
  }
}

/** One event at a time. The receipt comes just after the commit, perhaps even after the start. In microseconds. */
async function medianStart(sync: ClerkSync, nextStart: () => Promise<bigint>): Promise<number> {
  const times: number[] = []
  for (const { body, headers } of deliveries(IDLE_EVENTS)) {
    const start = nextStart()
    await sleep(IDLE_PAUSE_MS)
    await sync.receive(body, headers)
    const committedAt = process.hrtime.bigint()
    times.push(Number((await start) - committedAt) / 1_000)
  }
  return quantile(
    times.sort((a, b) => a - b),
    0.5,
  )
}

async function open(database: string, options: ClerkSyncOptions = {}): Promise<[ClerkSync, string]> {
  const schema = `ours_${schemas++}`
  const sync = createClerkSync({ database, schema, signingSecret: SECRET, ...options })
  await sync.migrate()
  return [sync, schema]
}

function deliveries(count: number) {
  const users = newUsers()
  return Array.from({ length: count }, () => signDelivery(users.next().value.body, { secret: SECRET }))
}

async function receive(sync: ClerkSync, prepared: ReturnType<typeof deliveries>): Promise<void> {
  const queue = prepared.values()
  const lane = async () => {
    for (const { body, headers } of queue) await sync.receive(body, headers)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

await main()
