/**
 * Deliveries per second on the embedded database, PGlite, in a folder. `npm run embedded --prefix bench`
 *
 * App and database are one process. After each round that process ends without closing anything; what was acknowledged
 * must be in the folder.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClerkSync } from '../src/index.ts'
import type { Generator, LoadResult } from './load/generator.ts'
import { SECRET } from './load/requests.ts'
import { describeMachine, type Machine, machineLines } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { Child } from './processes.ts'
import { progress, type Spread, spread, table, whole, wholeSpread } from './report.ts'
import type { VariantServer } from './server.ts'

const SCHEMA = 'clerk'
const EXISTING_USERS = 1_000
const REQUESTS_PER_SECOND = 4_000
const WORKLOADS = ['created', 'mixed'] as const

type Workload = (typeof WORKLOADS)[number]

interface Run extends LoadResult {
  /** Microseconds of the cores per delivery, of app and database together. */
  readonly cpuEach: number
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 8, rounds: 2 })
  const generator = new Child<Generator>('./load/generator.ts')
  const runs = { created: [] as Run[], mixed: [] as Run[] }
  try {
    for (let round = 1; round <= options.rounds; round++) {
      for (const workload of WORKLOADS) {
        runs[workload].push(await inFolder((folder) => measure(generator, folder, workload, options)))
        progress(`round ${round}: ${workload}, ${whole(runs[workload].at(-1)?.perSecond ?? 0)}/s`)
      }
    }
  } finally {
    await generator.stop()
  }
  const results = WORKLOADS.map((workload) => summarize(workload, runs[workload]))
  const report = { machine: describeMachine(), options, results }
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(
  generator: Child<Generator>,
  folder: string,
  workload: Workload,
  { seconds, connections: [connections = 64] }: Options,
): Promise<Run> {
  const server = new Child<VariantServer>('./server.ts', ['ours', folder, SCHEMA])
  try {
    const port = await server.ask('listen', undefined)
    await generator.ask('open', { name: 'created' })
    await generator.ask('prepare', { count: EXISTING_USERS })
    const users = (await generator.ask('send', { port, connections })).acknowledged
    await generator.ask('open', { name: workload, users: users.subjects })
    await generator.ask('prepare', { count: Math.ceil(REQUESTS_PER_SECOND * seconds) })
    const before = await server.ask('cpuTime', undefined)
    const run = await generator.ask('send', { port, connections, seconds })
    const cpuEach = ((await server.ask('cpuTime', undefined)) - before) / run.acknowledged.ids.length
    await server.stop()
    await expectRecorded(folder, users.ids.length + run.acknowledged.ids.length)
    if (run.refused > 0) throw new Error(`${run.refused} deliveries were refused`)
    return { ...run, cpuEach }
  } finally {
    await server.stop()
  }
}

async function expectRecorded(folder: string, acknowledged: number): Promise<void> {
  await using sync = createClerkSync({ database: folder, schema: SCHEMA, signingSecret: SECRET })
  const { count } = await sync.database
    .selectFrom('events')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('outcome', 'in', ['applied', 'stale'])
    .executeTakeFirstOrThrow()
  if (Number(count) !== acknowledged)
    throw new Error(`the folder holds ${count} events instead of ${acknowledged}`)
}

interface Result {
  readonly workload: Workload
  readonly perSecond: Spread
  readonly p50: Spread
  readonly p99: Spread
  readonly cpuEach: Spread
}

function summarize(workload: Workload, runs: readonly Run[]): Result {
  const over = (read: (run: Run) => number) => spread(runs.map(read))
  return {
    workload,
    perSecond: over((run) => run.perSecond),
    p50: over((run) => run.p50),
    p99: over((run) => run.p99),
    cpuEach: over((run) => run.cpuEach),
  }
}

interface Report {
  readonly machine: Machine
  readonly options: Options
  readonly results: readonly Result[]
}

function toText({ machine, options: { rounds, seconds, connections }, results }: Report): string {
  const method = `${connections[0]} connections, ${rounds} rounds of ${seconds} s, median (min–max)`
  const rows = results.map(({ workload, perSecond, p50, p99, cpuEach }) => [
    workload,
    wholeSpread(perSecond),
    p50.median.toFixed(1),
    p99.median.toFixed(1),
    whole(cpuEach.median),
  ])
  const head = ['on PGlite', 'deliveries/s', 'p50 ms', 'p99 ms', 'µs of app and database']
  return [...machineLines(machine), method, '', table(head, rows)].join('\n')
}

await main()
