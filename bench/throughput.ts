/**
 * Deliveries per second, side by side, from one run. `npm run bench`
 *
 * The variants take turns, several rounds; the first round warms everything up and is not counted.
 */

import type { Echo } from './load/echo.ts'
import type { WorkloadName } from './load/generator.ts'
import { machineLines } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { Child } from './processes.ts'
import { type Aim, aimLine, progress, type Spread, spread, table, whole, wholeSpread } from './report.ts'
import { type Run, type Served, Session } from './session.ts'
import { VARIANTS, type VariantName, variantOf } from './variants/variants.ts'

/** More than any server here answers in a second; what the first round shows replaces it. */
const FIRST_GUESS_PER_SECOND = 10_000
const WARM_UP_SECONDS = 3

interface Result {
  readonly variant: VariantName
  readonly perSecond: Spread
  readonly p50: Spread
  readonly p99: Spread
  readonly serverCpu: Spread
  readonly generatorCpu: Spread
}

const WORKLOADS = [
  { title: 'new users', names: ['created', 'stripe'] },
  { title: '60 % updates, 20 % new users, 10 % memberships, 5 % sessions, 5 % deletions', names: ['mixed'] },
] as const satisfies readonly { title: string; names: readonly WorkloadName[] }[]

const AIMS = [
  { of: 'ours', to: 'limit', atLeast: 0.6 },
  { of: 'ours', to: 'single', atLeast: 1 },
  { of: 'ours', to: 'hand-written', atLeast: 4 },
  { of: 'ours', to: 'stripe', atLeast: 3 },
] as const

async function main(): Promise<void> {
  const options = readOptions({ duration: 8, rounds: 3 })
  const names = (options.variants ?? Object.keys(VARIANTS)) as VariantName[]
  for (const name of names) variantOf(name)
  const report = await Session.run(async (session) => {
    const ceiling = await measureGenerator(session, options)
    const servers = []
    for (const name of names) servers.push(await session.serve(name))
    const tables = []
    for (const { title, names: workloads } of WORKLOADS) {
      tables.push({ title, ...(await compare(session, servers, workloads, options)) })
    }
    return { machine: session.machine, options, generatorPerSecond: ceiling, tables }
  })
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

/** What the generator can do against a server that does nothing, so that nobody mistakes it for the limit. */
async function measureGenerator(session: Session, { connections, duration }: Options): Promise<number> {
  const echo = new Child<Echo>('./load/echo.ts')
  try {
    const port = await echo.ask('listen', undefined)
    await session.generator.ask('open', { name: 'created' })
    await session.generator.ask('prepare', { count: Math.ceil(FIRST_GUESS_PER_SECOND * duration) })
    await session.generator.ask('send', { port, connections })
    return (await session.generator.ask('send', { port, connections })).perSecond
  } finally {
    await echo.stop()
  }
}

async function compare(
  session: Session,
  servers: readonly Served[],
  workloads: readonly WorkloadName[],
  options: Options,
): Promise<{ results: Result[]; aims: Aim[] }> {
  const runs = new Map<Served, Run[]>()
  for (const served of servers) {
    if (workloadOf(served, workloads)) runs.set(served, [])
  }
  for (let round = 0; round <= options.rounds; round++) {
    for (const [served, earlier] of runs) {
      earlier.push(await session.measure(served, runOptions(served, workloads, options, round, earlier)))
      const { perSecond } = earlier.at(-1) as Run
      progress(`${round === 0 ? 'warm-up' : `round ${round}`}: ${served.title}, ${whole(perSecond)}/s`)
    }
  }
  const results = [...runs].map(([{ name }, [, ...counted]]) => summarize(name, counted))
  return { results, aims: aimsOf(results) }
}

function workloadOf({ name }: Served, workloads: readonly WorkloadName[]): WorkloadName | undefined {
  return workloads.find((workload) => variantOf(name).workloads.includes(workload))
}

function runOptions(
  served: Served,
  workloads: readonly WorkloadName[],
  { duration, connections }: Options,
  round: number,
  earlier: readonly Run[],
) {
  const seconds = round === 0 ? Math.min(WARM_UP_SECONDS, duration) : duration
  const fastest = Math.max(...earlier.map(({ perSecond }) => perSecond)) * 1.5
  const requests = Math.ceil(seconds * (round === 0 ? FIRST_GUESS_PER_SECOND : fastest))
  return { workload: workloadOf(served, workloads) as WorkloadName, connections, seconds, requests }
}

function summarize(variant: VariantName, runs: readonly Run[]): Result {
  const over = (read: (run: Run) => number) => spread(runs.map(read))
  return {
    variant,
    perSecond: over((run) => run.perSecond),
    p50: over((run) => run.p50),
    p99: over((run) => run.p99),
    serverCpu: over((run) => run.serverCpu),
    generatorCpu: over((run) => run.cpu),
  }
}

function aimsOf(results: readonly Result[]): Aim[] {
  const rates = new Map(results.map(({ variant, perSecond }) => [variant, perSecond.median]))
  return AIMS.flatMap(({ of, to, atLeast }) => {
    const [ours, theirs] = [rates.get(of), rates.get(to)]
    return ours && theirs ? [{ name: `${of} / ${to}`, value: ours / theirs, atLeast }] : []
  })
}

interface Report {
  readonly machine: Session['machine']
  readonly options: Options
  readonly generatorPerSecond: number
  readonly tables: readonly { title: string; results: readonly Result[]; aims: readonly Aim[] }[]
}

function toText({ machine, options, generatorPerSecond, tables }: Report): string {
  const { rounds, duration, connections } = options
  const method = `${connections} connections, ${rounds} rounds of ${duration} s, median (min–max)`
  const generator = `the load generator alone reaches ${whole(generatorPerSecond)}/s`
  const sections = tables
    .filter(({ results }) => results.length > 0)
    .map(
      ({ title, results, aims }) =>
        `\n${title}\n\n${resultTable(results)}\n\n${aims.map(aimLine).join('\n')}`,
    )
  return [...machineLines(machine), `${method}; ${generator}`, ...sections].join('\n')
}

function resultTable(results: readonly Result[]): string {
  const head = ['', 'deliveries/s', 'p50 ms', 'p99 ms', 'server µs each', 'generator’s core']
  const rows = results.map(({ variant, perSecond, p50, p99, serverCpu, generatorCpu }) => [
    variantOf(variant).title,
    wholeSpread(perSecond),
    p50.median.toFixed(1),
    p99.median.toFixed(1),
    whole(serverCpu.median),
    `${whole(generatorCpu.median * 100)} %`,
  ])
  return table(head, rows)
}

await main()
