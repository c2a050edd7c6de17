/**
 * How throughput grows with receivers and workers, and where it stops. `npm run scaling --prefix bench`
 *
 * Each receiver and each worker has a share of a core and a network of its own, 2 ms from Postgres and Redis. Needs Linux, root,
 * an installed Postgres and redis-server. Writes the tables and the plot of docs/scaling.md; with `--short` or `--json` it only
 * prints them.
 */

import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { findPostgresBinaries } from '../test/support/postgres-server.ts'
import { RedisServer } from '../test/support/redis-server.ts'
import { checkpoint, readValue } from './database.ts'
import type { Generator, LoadResult } from './load/generator.ts'
import { describeMachine } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { Child } from './processes.ts'
import { progress, whole } from './report.ts'
import { measureRoundTrip } from './round-trip.ts'
import { type CappedProcess, PORT, type Role } from './scaling/capped-process.ts'
import { CpuCap } from './scaling/cpu-cap.ts'
import { Network } from './scaling/network.ts'
import { blockOf, tablesOf, writePage } from './scaling/page.ts'
import type { Report, Result } from './scaling/result.ts'
import { type EngineName, Site } from './scaling/site.ts'

const ENGINES: readonly EngineName[] = ['postgres', 'bullmq']
const COUNTS = [1, 2, 4, 8]
/** How many users share all events, with the most processes. */
const HOT_USERS = [10, 1]
/** Of a core, for each receiver and each worker: eight of both leave more than half of two cores to Postgres and the load. */
const SHARE = 0.05
/** Enough for full batches, as a backlog at Svix would bring. */
const CONNECTIONS_PER_RECEIVER = 32
const REQUESTS_PER_SECOND = 900
/** Deliveries for each receiver. */
const WARM_UP = { created: 2_000, hot: 300 }
const SAMPLE_MS = 50
const DRAIN_MS = 60_000

async function main(): Promise<void> {
  const options = readOptions({ seconds: 12, rounds: 1 })
  const missing = await findMissing()
  if (missing) {
    console.error(`scaling needs Linux, root, \`ip netns\`, a CPU controller, Postgres and Redis: ${missing}`)
    process.exit(2)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const report = await measureAll(options)
  if (options.json) return console.log(JSON.stringify(report, null, 2))
  console.log(tablesOf(report))
  if (!options.short) await writePage(blockOf(report), report)
}

/** What this machine lacks, tried out. */
async function findMissing(): Promise<string | undefined> {
  if (!(await findPostgresBinaries())) return 'there is no initdb'
  const redis = await RedisServer.start()
  if (!redis) return 'there is no redis-server'
  await redis.stop()
  try {
    const network = new Network()
    try {
      network.add()
      new CpuCap(`scaling-${process.pid}`).remove()
    } finally {
      network.remove()
    }
  } catch (error) {
    return (error as Error).message
  }
  return undefined
}

async function measureAll({ seconds, short }: Options): Promise<Report> {
  const load = loadavg()[0] ?? Number.NaN
  const generator = new Child<Generator>('./load/generator.ts')
  const measured = { seconds: short ? seconds / 10 : seconds, generator }
  const results: Result[] = []
  let facts: Facts | undefined
  for (const engine of ENGINES) {
    const site = await Site.create(engine)
    facts ??= await readFacts(site)
    results.push(...(await measureEngine(engine, site, measured)))
    await site.close()
  }
  await generator.stop()
  const { seconds: each } = measured
  return { machine: describeMachine(), ...(facts as Facts), load, share: SHARE, seconds: each, results }
}

type Facts = Pick<Report, 'postgres' | 'roundTrip'>

async function readFacts({ client, delayedUrl }: Site): Promise<Facts> {
  return {
    postgres: await readValue<string>(client, `select current_setting('server_version')`),
    roundTrip: await measureRoundTrip(delayedUrl),
  }
}

interface Measured {
  readonly seconds: number
  readonly generator: Child<Generator>
}

async function measureEngine(engine: EngineName, site: Site, measured: Measured): Promise<Result[]> {
  const results: Result[] = []
  let users: readonly string[] = []
  for (const count of COUNTS) {
    const added = await site.growTo(count)
    users = await warmUp(site, measured.generator, { name: 'created' }, added)
    results.push(await measure(engine, site, measured))
  }
  for (const hotUsers of HOT_USERS) {
    const hot = users.slice(0, hotUsers)
    await warmUp(site, measured.generator, { name: 'hot', users: hot }, site.of('receiver'))
    results.push(await measure(engine, site, measured, hot))
  }
  return results
}

interface Load {
  readonly name: keyof typeof WARM_UP
  readonly users?: readonly string[]
}

/**
 * Without caps, so that what is measured is compiled: with them that would take longer than the measurement.
 * @returns the users that events were about
 */
async function warmUp(
  site: Site,
  generator: Child<Generator>,
  load: Load,
  receivers: readonly CappedProcess[],
): Promise<readonly string[]> {
  for (const process of site.processes) process.cap(0)
  await generator.ask('open', load)
  await generator.ask('prepare', { count: receivers.length * WARM_UP[load.name] })
  const { acknowledged } = await generator.ask('send', targetOf(receivers))
  await forgetOpenRuns(site)
  return acknowledged.subjects
}

/** @param hot all events are about these users; absent: each is about a new user */
async function measure(
  engine: EngineName,
  site: Site,
  { seconds, generator }: Measured,
  hot?: readonly string[],
): Promise<Result> {
  const receivers = site.of('receiver')
  await generator.ask('open', hot ? { name: 'hot', users: hot } : { name: 'created' })
  await generator.ask('prepare', { count: Math.ceil(receivers.length * seconds * REQUESTS_PER_SECOND) })
  await checkpoint(site.client)
  for (const process of site.processes) process.cap(SHARE)
  const run = await load(site, () => generator.ask('send', { ...targetOf(receivers), seconds }))
  await checkLedger(site.client, run.loaded)
  await forgetOpenRuns(site)
  const result = resultOf(run, { engine, count: receivers.length, hotUsers: hot?.length })
  const about = hot ? `, hot users: ${hot.length}` : ''
  const { deliveries, runs } = result
  progress(`${engine}, ${receivers.length}${about}: ${whole(deliveries)} deliveries/s, ${whole(runs)} runs/s`)
  return result
}

function targetOf(receivers: readonly CappedProcess[]) {
  const hosts = receivers.map(({ address }) => address)
  return { port: PORT, hosts, connections: hosts.length * CONNECTIONS_PER_RECEIVER }
}

/** What a run has left must not take part in the next one, and ordered runs of a hot user would take minutes to end. */
async function forgetOpenRuns(site: Site): Promise<void> {
  for (const process of site.processes) process.cap(0)
  const until = performance.now() + DRAIN_MS
  while ((await readValue<number>(site.client, OPEN_RUNS)) > 0) {
    for (const process of site.processes) process.assertRuns()
    if (performance.now() > until) throw new Error('handler runs do not end')
    await site.client.query(FORGET_RUNS)
    await sleep(200)
  }
}

const FORGET_RUNS = `delete from clerk.handler_runs where status = 'pending'`
const OPEN_RUNS = `select count(*)::int from clerk.handler_runs where status <> 'succeeded'`
const ENDED_RUNS = `select count(*)::int from clerk.handler_runs where status = 'succeeded'`
const WAL_BYTES = `select (pg_current_wal_insert_lsn() - '0/0')::float8`
const RECORDED = `select count(*)::int from clerk.events where id = any($1) and outcome in ('applied', 'stale')`

async function checkLedger(client: pg.Client, { acknowledged, refused }: LoadResult): Promise<void> {
  const recorded = await readValue<number>(client, RECORDED, [acknowledged.ids])
  if (recorded !== acknowledged.ids.length)
    throw new Error(`${acknowledged.ids.length} deliveries were acknowledged, ${recorded} are in the ledger`)
  if (refused > 0) throw new Error(`${refused} deliveries were refused`)
}

/** Where the counters of a run stand; times in microseconds. */
interface Counters {
  readonly at: number
  readonly runs: number
  readonly walBytes: number
  readonly postgres: number
  readonly receivers: number
  readonly workers: number
  readonly machine: number
}

async function count(site: Site): Promise<Counters> {
  return {
    at: performance.now() * 1_000,
    runs: await readValue<number>(site.client, ENDED_RUNS),
    walBytes: await readValue<number>(site.client, WAL_BYTES),
    postgres: await site.postgresCpu(),
    receivers: await cpuOf(site, 'receiver'),
    workers: await cpuOf(site, 'worker'),
    machine: machineCpu(),
  }
}

async function cpuOf(site: Site, role: Role): Promise<number> {
  const times = await Promise.all(site.of(role).map((process) => process.cpu()))
  return times.reduce((sum, time) => sum + time, 0)
}

/** The time that all cores have been busy with anything. */
function machineCpu(): number {
  const busy = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq)
  return busy.reduce((sum, time) => sum + time, 0) * 1_000
}

/** What Postgres' connections do at one moment. */
interface Sample {
  readonly open: number
  readonly active: number
  /** Those that wait for a lock of a row, a transaction or an advisory lock. */
  readonly locks: number
  /** Those that wait for the write-ahead log, for its disk or for each other. */
  readonly wal: number
}

const SAMPLE = `
  select count(*)::int as open,
    count(*) filter (where state = 'active')::int as active,
    count(*) filter (where wait_event_type = 'Lock')::int as locks,
    count(*) filter (where wait_event in ('WALInsert', 'WALWrite', 'WALSync'))::int as wal
  from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`

interface LoadedRun {
  readonly loaded: LoadResult
  readonly before: Counters
  readonly after: Counters
  readonly samples: readonly Sample[]
}

async function load(site: Site, send: () => Promise<LoadResult>): Promise<LoadedRun> {
  const before = await count(site)
  const samples: Sample[] = []
  const sending = send()
  const ended = sending.then(() => true)
  do {
    samples.push((await site.client.query<Sample>(SAMPLE)).rows[0] as Sample)
  } while (!(await Promise.race([ended, sleep(SAMPLE_MS, false)])))
  const after = await count(site)
  return { loaded: await sending, before, after, samples }
}

function resultOf(
  { loaded, before, after, samples }: LoadedRun,
  of: Pick<Result, 'engine' | 'count' | 'hotUsers'>,
): Result {
  const elapsed = after.at - before.at
  const deliveries = loaded.acknowledged.ids.length
  const mean = (key: keyof Sample) => samples.reduce((sum, each) => sum + each[key], 0) / samples.length
  const per = (key: keyof Counters, of: number) => (after[key] - before[key]) / of
  const allowed = elapsed * SHARE * of.count
  return {
    ...of,
    deliveries: loaded.perSecond,
    p50: loaded.p50,
    p99: loaded.p99,
    runs: per('runs', elapsed / 1_000_000),
    receiversOfCap: per('receivers', allowed),
    workersOfCap: per('workers', allowed),
    postgresCpu: per('postgres', deliveries),
    walBytes: per('walBytes', deliveries),
    lockWait: (mean('locks') * elapsed) / deliveries,
    walWait: (mean('wal') * elapsed) / deliveries,
    connections: Math.max(...samples.map(({ open }) => open)),
    active: mean('active'),
    cores: per('machine', elapsed),
  }
}

await main()
