/**
 * Runs per second of handlers that do nothing, beside the bare engines; the time from commit to start; and what handlers
 * cost those who only receive. `npm run handlers --prefix bench`
 *
 * Everything runs in this process, one thing at a time, in turns. All runs wait before a worker starts, and are over when
 * the engine's own books say so. pg-boss takes as many jobs at a time as a handler of ours may have under way, and a hundred
 * besides, which is what suits it; each is settled by itself. A run of ours is besides claimed and written down in the table, with its event and its row read.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { PgBoss } from 'pg-boss'
import { bullmq } from '../src/handlers/engines/bullmq.ts'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync, pgBoss } from '../src/index.ts'
import { signDelivery } from '../src/testing/index.ts'
import { createDatabase, type OwnDatabase, readValue } from './database.ts'
import { newUsers } from './load/events.ts'
import { SECRET } from './load/requests.ts'
import { describeMachine, machineLines } from './machine.ts'
import { readOptions } from './options.ts'
import { aimLine, progress, quantile, spread, table, wholeSpread } from './report.ts'

const REDIS_URL = process.env.BENCH_REDIS_URL || process.env.TEST_REDIS_URL || 'redis://127.0.0.1:6379'
const PREFIX = `clerk-sync-bench-${process.pid}`
const NAME = 'nothing'
const AT_ONCE = 64
const IDLE_EVENTS = 100
const AT_LEAST = 0.7
/** As ours. */
const CONCURRENCY = 10

const { rounds, events, short, json } = readOptions({ seconds: 0, rounds: 3 })
const RUNS = events ?? (short ? 500 : 5_000)
const ENGINES = { 'pg-boss': pgBoss(), bullmq: bullmq({ connection: REDIS_URL, prefix: PREFIX }) }
const redis = { connection: { url: REDIS_URL }, prefix: PREFIX }
let schemas = 0

async function main(): Promise<void> {
  await using database = await createDatabase()
  const url = database.url
  const measurements: Record<string, () => Promise<number>> = {
    'bare pg-boss, runs/s': () => runBarePgBoss(database, CONCURRENCY),
    'clerk-sync on pg-boss, runs/s': () => runOurs(database, 'pg-boss'),
    'bare BullMQ, runs/s': () => runBareBullmq(),
    'clerk-sync on BullMQ, runs/s': () => runOurs(database, 'bullmq'),
    'bare pg-boss, a hundred at a time, runs/s': () => runBarePgBoss(database, 100),
    'events/s received with no handler': () => ingest(url, 0),
    'events/s received with 1 handler': () => ingest(url, 1),
    'events/s received with 5 handlers': () => ingest(url, 5),
    'commit to start when idle, pg-boss, p50 in µs': () => startLatency(url),
  }
  const values = new Map(Object.keys(measurements).map((name) => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warm-up' : `round ${round}`)
    for (const [name, measure] of Object.entries(measurements)) values.get(name)?.push(await measure())
  }
  const results = [...values].map(([name, [, ...counted]]) => ({ name, ...spread(counted) }))
  const [barePgBoss, onPgBoss, bareBullmq, onBullmq] = results.map(({ median }) => median) as [
    number,
    number,
    number,
    number,
  ]
  const aims = [
    { name: 'clerk-sync on pg-boss / bare pg-boss', value: onPgBoss / barePgBoss, atLeast: AT_LEAST },
    { name: 'clerk-sync on BullMQ / bare BullMQ', value: onBullmq / bareBullmq, atLeast: AT_LEAST },
  ]
  const machine = describeMachine(database.facts)
  if (json) return console.log(JSON.stringify({ machine, runs: RUNS, rounds, results, aims }, null, 2))
  const rows = results.map(({ name, ...values }) => [name, wholeSpread(values)])
  const method = `${RUNS} runs each, ${rounds} rounds, median (min–max)`
  console.log(
    [...machineLines(machine), method, '', table(['', ''], rows), '', ...aims.map(aimLine)].join('\n'),
  )
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

async function runBareBullmq(): Promise<number> {
  const queue = new Queue(`bare-${NAME}`, redis)
  await queue.addBulk(
    payloads().map((payload) => ({ name: 'run', ...payload, opts: { removeOnComplete: true } })),
  )
  let worker: Worker | undefined
  try {
    return await perSecond((count) => {
      worker = new Worker(queue.name, async () => count(1), { ...redis, concurrency: CONCURRENCY })
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

async function runOurs({ url, client }: OwnDatabase, engine: keyof typeof ENGINES): Promise<number> {
  let count: (runs: number) => void = () => undefined
  const [sync, schema] = await open(url, { engine: ENGINES[engine] })
  sync.on('user.created', () => count(1), { name: NAME, concurrency: CONCURRENCY })
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

/** One event at a time. The receipt comes just after the commit, perhaps even after the start. */
async function startLatency(url: string): Promise<number> {
  const [sync] = await open(url)
  let started = Promise.withResolvers<number>()
  sync.on('user.created', () => started.resolve(performance.now()), { name: NAME })
  try {
    await sync.work()
    const times = new Float64Array(IDLE_EVENTS)
    for (const [at, { body, headers }] of deliveries(IDLE_EVENTS).entries()) {
      started = Promise.withResolvers()
      await sync.receive(body, headers)
      const committedAt = performance.now()
      times[at] = (await started.promise) - committedAt
      await sleep(20)
    }
    return quantile(times.sort(), 0.5) * 1000
  } finally {
    await sync.close()
  }
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
