/**
 * Deliveries per second and what each costs, side by side, from one run. `npm run bench`
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
import { chosenVariants, type VariantName, variantOf } from './variants/variants.ts'

/** More than any server here answers in a second; what the first round shows replaces it. */
const FIRST_GUESS_PER_SECOND = 10_000
/** How many times as fast as before a server may be without running out of prepared requests. */
const HEADROOM = 1.4
/** V8 goes on compiling for some ten seconds under load; until then a delivery costs up to a third more. */
const WARM_UP_SECONDS = 8
const GENERATOR_SECONDS = 1
const CONNECTIONS = [64, 256]

const WORKLOADS = [
  { name: 'created', title: 'new users', sent: ['created', 'stripe'] },
  {
    name: 'mixed',
    title: 'mixed: 60 % updates, 20 % new users, 10 % memberships, 5 % sessions, 5 % deletions',
    sent: ['mixed'],
  },
] as const satisfies readonly { name: string; title: string; sent: readonly WorkloadName[] }[]

/** `atLeast` must hold; `aim` is what we want. */
const AIMS = [
  { workload: 'created', connections: 64, to: 'limit', atLeast: 0.5, aim: 0.6 },
  { workload: 'created', connections: 64, to: 'stripe', atLeast: 1.6, aim: 2 },
  { workload: 'created', connections: 64, to: 'hand-written', atLeast: 3.3, aim: 4 },
  { workload: 'created', connections: 256, to: 'limit', atLeast: 0.6 },
  { workload: 'created', connections: 256, to: 'stripe', atLeast: 2 },
  { workload: 'created', connections: 256, to: 'hand-written', atLeast: 4 },
  { workload: 'mixed', connections: 64, to: 'baseline', atLeast: 1.5 },
  { workload: 'mixed', connections: 256, to: 'baseline', atLeast: 1.5 },
] as const

interface Result {
  readonly variant: VariantName
  readonly perSecond: Spread
  readonly p50: Spread
  readonly p99: Spread
  readonly nodeCpu: Spread
  /** Undefined where the server's processes cannot be seen. */
  readonly postgresCpu: Spread | undefined
  readonly walBytes: Spread
  /** Undefined where each delivery has a transaction of its own. */
  readonly perCommit: Spread | undefined
  readonly generatorCpu: Spread
}

/** One server on one workload at one number of connections, and what its rounds gave. */
interface Cell {
  readonly served: Served
  readonly sends: WorkloadName
  readonly connections: number
  readonly runs: Run[]
}

interface Table {
  readonly workload: string
  readonly title: string
  readonly connections: number
  readonly cells: readonly Cell[]
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 8, rounds: 2, connections: CONNECTIONS })
  const names = chosenVariants(options)
  const report = await Session.run(async (session) => {
    const generatorPerSecond = await measureGenerator(session, Math.min(...options.connections))
    const servers = []
    for (const name of names) servers.push(await session.serve(name, { baseline: options.baseline }))
    const tables = tablesOf(servers, options)
    for (let round = 0; round <= options.rounds; round++) await playRound(session, tables, options, round)
    return { machine: session.machine, options, generatorPerSecond, tables: tables.map(summarize) }
  })
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

/** What the generator can do against a server that does nothing, so that nobody mistakes it for the limit. */
async function measureGenerator(session: Session, connections: number): Promise<number> {
  const echo = new Child<Echo>('./load/echo.ts')
  try {
    const port = await echo.ask('listen', undefined)
    await session.generator.ask('open', { name: 'created' })
    await session.generator.ask('prepare', { count: FIRST_GUESS_PER_SECOND * GENERATOR_SECONDS })
    await session.generator.ask('send', { port, connections })
    return (await session.generator.ask('send', { port, connections })).perSecond
  } finally {
    await echo.stop()
  }
}

function tablesOf(servers: readonly Served[], { workloads, connections }: Options): Table[] {
  const chosen = WORKLOADS.filter(({ name }) => workloads?.includes(name) ?? true)
  return chosen.flatMap(({ name, title, sent }) =>
    connections.map((count) => ({
      workload: name,
      title,
      connections: count,
      cells: servers.flatMap((served) => {
        const sends = sent.find((each) => variantOf(served.name).workloads.includes(each))
        return sends ? [{ served, sends, connections: count, runs: [] }] : []
      }),
    })),
  )
}

async function playRound(
  session: Session,
  tables: readonly Table[],
  options: Options,
  round: number,
): Promise<void> {
  const seconds = round === 0 ? Math.min(WARM_UP_SECONDS, options.seconds) : options.seconds
  const cells = tables.flatMap((each) => each.cells)
  // Every second round goes backwards, so that no variant always follows the same one.
  for (const { served, sends, connections, runs } of round % 2 === 0 ? cells : cells.toReversed()) {
    const fastest = Math.max(...runs.map(({ perSecond }) => perSecond)) * HEADROOM
    const requests = Math.ceil(seconds * (round === 0 ? FIRST_GUESS_PER_SECOND : fastest))
    const run = await session.measure(served, { workload: sends, connections, seconds, requests })
    runs.push(run)
    const name = round === 0 ? 'warm-up' : `round ${round}`
    progress(`${name}: ${served.title}, ${connections} connections, ${sends}: ${whole(run.perSecond)}/s`)
  }
}

interface Summary {
  readonly workload: string
  readonly title: string
  readonly connections: number
  readonly results: readonly Result[]
  readonly aims: readonly Aim[]
}

function summarize({ workload, title, connections, cells }: Table): Summary {
  const results = cells.map(({ served, runs: [, ...counted] }) => resultOf(served.name, counted))
  return { workload, title, connections, results, aims: aimsOf(workload, connections, results) }
}

function resultOf(variant: VariantName, runs: readonly Run[]): Result {
  const over = (read: (run: Run) => number) => spread(runs.map(read))
  const isSeen = runs.every(({ postgresCpu }) => postgresCpu !== undefined)
  return {
    variant,
    perSecond: over((run) => run.perSecond),
    p50: over((run) => run.p50),
    p99: over((run) => run.p99),
    nodeCpu: over((run) => run.nodeCpu),
    postgresCpu: isSeen ? over((run) => run.postgresCpu as number) : undefined,
    walBytes: over((run) => run.walBytes),
    perCommit: runs.some(({ perCommit }) => perCommit) ? over((run) => run.perCommit as number) : undefined,
    generatorCpu: over((run) => run.cpu),
  }
}

function aimsOf(workload: string, connections: number, results: readonly Result[]): Aim[] {
  const rates = new Map(results.map(({ variant, perSecond }) => [variant, perSecond.median]))
  const ours = rates.get('ours')
  return AIMS.filter((each) => each.workload === workload && each.connections === connections).flatMap(
    ({ workload: _, connections: __, to, ...goals }) => {
      const theirs = rates.get(to)
      return ours && theirs ? [{ name: `ours / ${to}`, value: ours / theirs, ...goals }] : []
    },
  )
}

interface Report {
  readonly machine: Session['machine']
  readonly options: Options
  readonly generatorPerSecond: number
  readonly tables: readonly Summary[]
}

function toText({ machine, options, generatorPerSecond, tables }: Report): string {
  const method = `${options.rounds} rounds of ${options.seconds} s, median (min–max)`
  const generator = `the load generator alone reaches ${whole(generatorPerSecond)}/s`
  return [...machineLines(machine), `${method}; ${generator}`, ...tables.map(tableText)].join('\n')
}

function tableText({ title, connections, results, aims }: Summary): string {
  return [`\n${title}; ${connections} connections`, resultTable(results), aims.map(aimLine).join('\n')].join(
    '\n\n',
  )
}

function resultTable(results: readonly Result[]): string {
  const head = [
    '',
    'deliveries/s',
    'p50 ms',
    'p99 ms',
    'Node µs',
    'Postgres µs',
    'WAL bytes',
    'per commit',
    'generator’s core',
  ]
  const rows = results.map((result) => [
    variantOf(result.variant).title,
    wholeSpread(result.perSecond),
    result.p50.median.toFixed(1),
    result.p99.median.toFixed(1),
    whole(result.nodeCpu.median),
    result.postgresCpu ? whole(result.postgresCpu.median) : '–',
    whole(result.walBytes.median),
    result.perCommit ? result.perCommit.median.toFixed(1) : '–',
    `${whole(result.generatorCpu.median * 100)} %`,
  ])
  return table(head, rows)
}

await main()
