/**
 * What a network between app and database costs a delivery. `npm run latency --prefix bench`
 *
 * A TCP proxy delivers everything late. Without `--rate`, one delivery at a time, with 1 ms each way. With `--rate 60`,
 * so many deliveries per second whether or not earlier ones are answered, with round trips of 10 to 100 ms.
 */

import type { PacedResult } from './load/generator.ts'
import { machineLines } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { type Aim, aimLine, progress, table } from './report.ts'
import { measureRoundTrip } from './round-trip.ts'
import { type Proxied, type Served, Session } from './session.ts'
import { chosenVariants, type VariantName, variantOf } from './variants/variants.ts'

const COMPARED = ['ours', 'hand-written', 'stripe'] as const
const IDLE_ROUND_TRIPS = [2]
const PACED_ROUND_TRIPS = [10, 24, 50, 100]
const WARM_UP = 100
const IDLE_DELIVERIES = 500
/** What a delivery may take beside its round trips. */
const ALLOWED_MS = 3
const ALLOWED_ROUND_TRIPS = 2

interface Result {
  readonly variant: VariantName
  /** Milliseconds that `select 1` takes through the proxy. */
  readonly roundTrip: number
  readonly p50: number
  readonly p99: number
}

interface PacedRow extends Result {
  readonly sent: number
  /** How many answers had each status; 0 stands for a connection that broke. */
  readonly statuses: PacedResult['statuses']
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 8, rounds: 1 })
  const report = await Session.run(async (session) => {
    const proxy = await session.openProxy()
    const servers = []
    for (const name of chosenVariants(options, COMPARED)) {
      servers.push(await session.serve(name, { databasePort: proxy.port, baseline: options.baseline }))
    }
    const results = await measureAll(session, proxy, servers, options)
    return { machine: session.machine, options, results, aims: aimsOf(results, options) }
  })
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

async function measureAll(
  session: Session,
  proxy: Proxied,
  servers: readonly Served[],
  options: Options,
): Promise<(Result | PacedRow)[]> {
  const { rate, roundTrips = rate === undefined ? IDLE_ROUND_TRIPS : PACED_ROUND_TRIPS } = options
  const results = []
  for (const served of servers) await warmUp(session, served)
  for (const milliseconds of roundTrips) {
    await proxy.process.ask('setDelay', milliseconds / 2)
    const roundTrip = await measureRoundTrip(proxy.url)
    for (const served of servers) {
      const measured =
        rate === undefined
          ? await oneAtATime(session, served, options)
          : await paced(session, served, rate, options)
      results.push({ variant: served.name, roundTrip, ...measured })
      progress(`${milliseconds} ms round trip: ${served.title}, p50 ${measured.p50.toFixed(1)} ms`)
    }
  }
  return results
}

async function open(session: Session, { name }: Served): Promise<void> {
  await session.generator.ask('open', { name: variantOf(name).workloads[0] ?? 'created' })
}

async function warmUp(session: Session, served: Served): Promise<void> {
  await open(session, served)
  await session.load(served, { connections: 8, requests: WARM_UP })
}

async function oneAtATime(session: Session, served: Served, { short }: Options) {
  await open(session, served)
  const requests = short ? IDLE_DELIVERIES / 10 : IDLE_DELIVERIES
  const { p50, p99 } = await session.load(served, { connections: 1, requests })
  return { p50, p99 }
}

async function paced(session: Session, served: Served, rate: number, { seconds }: Options) {
  await open(session, served)
  await session.generator.ask('prepare', { count: Math.ceil(rate * seconds) })
  return session.generator.ask('sendAtRate', { port: served.port, rate })
}

function aimsOf(results: readonly Result[], { rate }: Options): Aim[] {
  if (rate !== undefined) return []
  const ours = results.filter(({ variant }) => variant === 'ours')
  return ours.map(({ roundTrip, p50 }) => ({
    name: `p50 of ours in ms, against ${ALLOWED_ROUND_TRIPS} round trips of ${roundTrip.toFixed(1)} ms and ${ALLOWED_MS} ms`,
    value: p50,
    atMost: ALLOWED_ROUND_TRIPS * roundTrip + ALLOWED_MS,
  }))
}

interface Report {
  readonly machine: Session['machine']
  readonly options: Options
  readonly results: readonly (Result | PacedRow)[]
  readonly aims: readonly Aim[]
}

function toText({ machine, options: { rate, seconds }, results, aims }: Report): string {
  const method =
    rate === undefined ? 'one delivery at a time' : `${rate} deliveries per second for ${seconds} s`
  const head = [
    '',
    'round trip ms',
    'p50 ms',
    'p99 ms',
    ...(rate === undefined ? [] : ['200', '503', 'other']),
  ]
  const rows = results.map((result) => [
    variantOf(result.variant).title,
    ...[result.roundTrip, result.p50, result.p99].map((time) => (Number.isNaN(time) ? '–' : time.toFixed(1))),
    ...('sent' in result ? shares(result) : []),
  ])
  return [...machineLines(machine), method, '', table(head, rows), '', ...aims.map(aimLine)].join('\n')
}

function shares({ sent, statuses }: PacedRow): string[] {
  const { 200: accepted = 0, 503: refused = 0 } = statuses
  const percent = (count: number) => `${((count / sent) * 100).toFixed(1)} %`
  return [percent(accepted), percent(refused), percent(sent - accepted - refused)]
}

await main()
