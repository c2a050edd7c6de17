/** The measured part of docs/scaling.md: its tables and its plot. */

import { readFile, writeFile } from 'node:fs/promises'
import { whole } from '../report.ts'
import { plotOf } from './plot.ts'
import { type Report, type Result, TITLES } from './result.ts'

const PAGE = new URL('../../docs/scaling.md', import.meta.url)
const PLOT = new URL('../../docs/images/scaling.svg', import.meta.url)
const BEGIN = '<!-- Written by `npm run scaling --prefix bench` -->'
const END = '<!-- End of what is written -->'

export async function writePage(block: string, { results }: Report): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const from = page.indexOf(BEGIN)
  const to = page.indexOf(END)
  if (from === -1 || to < from) throw new Error(`docs/scaling.md lacks "${BEGIN}" and "${END}"`)
  await writeFile(PLOT, plotOf(results))
  await writeFile(PAGE, `${page.slice(0, from)}${BEGIN}\n\n${block}\n\n${page.slice(to)}`)
}

export function blockOf(report: Report): string {
  const { machine, postgres, roundTrip, load, share, seconds } = report
  const day = new Date().toISOString().slice(0, 10)
  return [
    `${day}, ${machine.cpu}, ${machine.memoryGiB} GiB, ${shortened(machine.system)}, Node ${machine.node.slice(1)},`,
    `PostgreSQL ${shortened(postgres)}. Load average when it began: ${load.toFixed(1)}. ${percent(share)} of a core for each process, a`,
    `round trip of ${roundTrip.toFixed(1)} ms, ${seconds} s for each row.`,
    '',
    '![Deliveries and handler runs per second with 1, 2, 4 and 8 receivers and workers](images/scaling.svg)',
    '',
    tablesOf(report),
    '',
    ...summaryOf(report.results),
  ].join('\n')
}

export function tablesOf({ results }: Report): string {
  return [markdown(THROUGHPUT, results), '', markdown(COSTS, results)].join('\n')
}

/** A column and how it shows a result. */
type Columns = readonly (readonly [head: string, cell: (result: Result) => string])[]

const NAMES: Columns = [
  ['engine', ({ engine }) => TITLES[engine]],
  ['of each', ({ count }) => String(count)],
  ['events about', ({ hotUsers }) => (hotUsers === undefined ? 'new users' : usersOf(hotUsers))],
]

const THROUGHPUT: Columns = [
  ...NAMES,
  ['deliveries/s', ({ deliveries }) => whole(deliveries)],
  ['p50 ms', ({ p50 }) => whole(p50)],
  ['p99 ms', ({ p99 }) => whole(p99)],
  ['runs/s', ({ runs }) => whole(runs)],
  ['receivers: of their CPU', ({ receiversOfCap }) => percent(receiversOfCap)],
  ['workers: of their CPU', ({ workersOfCap }) => percent(workersOfCap)],
  ['cores busy', ({ cores }) => cores.toFixed(1)],
]

const COSTS: Columns = [
  ...NAMES,
  ['Postgres µs', ({ postgresCpu }) => whole(postgresCpu)],
  ['WAL bytes', ({ walBytes }) => whole(walBytes)],
  ['waits for locks µs', ({ lockWait }) => whole(lockWait)],
  ['waits for the WAL µs', ({ walWait }) => whole(walWait)],
  ['connections open', ({ connections }) => whole(connections)],
  ['active', ({ active }) => active.toFixed(1)],
]

function markdown(columns: Columns, results: readonly Result[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([head]) => head)),
    `|---|${'--:|'.repeat(columns.length - 1)}`,
    ...results.map((result) => line(columns.map(([, cell]) => cell(result)))),
  ].join('\n')
}

/** Ratios, so that the page around it needs no numbers. */
function summaryOf(results: readonly Result[]): string[] {
  return [...new Set(results.map(({ engine }) => engine))].map((engine) => {
    const own = results.filter((result) => result.engine === engine)
    const grown = own.filter(({ hotUsers }) => hotUsers === undefined)
    const [one, most] = [grown[0], grown.at(-1)] as [Result, Result]
    const hot = own
      .filter(({ hotUsers }) => hotUsers !== undefined)
      .map(({ hotUsers, deliveries, runs }) => {
        const shares = `${percent(deliveries / most.deliveries)} of the deliveries and ${percent(runs / most.runs)} of the runs`
        return `about ${usersOf(hotUsers ?? 0)}, ${shares}`
      })
    const growth = `${most.count} of each: ${times(most.deliveries, one.deliveries)} the deliveries and ${times(most.runs, one.runs)} the runs of one`
    return `- ${TITLES[engine]}, ${growth}; ${hot.join('; ')}.`
  })
}

/** A version without what its distribution adds. */
function shortened(version: string): string {
  return version.replace(/(\d+\.\d+).*/, '$1')
}

function usersOf(count: number): string {
  return count === 1 ? 'one user' : `${count} users`
}

function times(value: number, of: number): string {
  return `${(value / of).toFixed(1)} times`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
