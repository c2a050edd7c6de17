/**
 * The memory of clerk-sync's server over half a million events. `npm run memory`
 *
 * The workload is the mixed one. After every tenth the server collects its garbage and tells what is left.
 */

import { machineLines } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { type Aim, aimLine, progress, table, whole } from './report.ts'
import { type Served, Session } from './session.ts'

const EVENTS = 500_000
/** As many prepared requests as the generator's memory takes easily. */
const CHUNK = 25_000
const STEPS = 10
/** What the process may gain after its first tenth: less than 50 bytes per event. */
const ALLOWED_MIB = 20

interface Point {
  readonly events: number
  readonly rssMiB: number
  readonly heapMiB: number
  readonly outsideMiB: number
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 0, rounds: 0 })
  const events = options.events ?? (options.short ? EVENTS / 10 : EVENTS)
  const report = await Session.run(async (session) => {
    const served = await session.serve('ours', { execArgv: ['--expose-gc'] })
    const curve = await measureCurve(session, served, events, options)
    return { machine: session.machine, options, curve, aims: aimsOf(curve) }
  })
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

async function measureCurve(
  session: Session,
  served: Served,
  events: number,
  { connections: [connections = 64] }: Options,
): Promise<Point[]> {
  await session.generator.ask('open', {
    name: 'mixed',
    users: (await session.createUsers(served, connections)).subjects,
  })
  const curve = [await pointAt(served, 0)]
  for (let step = 1; step <= STEPS; step++) {
    const count = events / STEPS
    for (let sent = 0; sent < count; sent += CHUNK) {
      await session.load(served, { connections, requests: Math.min(CHUNK, count - sent) })
    }
    curve.push(await pointAt(served, step * count))
    progress(`${step * 10} %`)
  }
  return curve
}

async function pointAt({ process }: Served, events: number): Promise<Point> {
  const { rss, heapUsed, external } = await process.ask('memory', undefined)
  const [rssMiB, heapMiB, outsideMiB] = [rss, heapUsed, external].map((bytes) => bytes / 2 ** 20) as [
    number,
    number,
    number,
  ]
  return { events, rssMiB, heapMiB, outsideMiB }
}

/** From the first tenth on, when everything has been loaded and compiled. */
function aimsOf(curve: readonly Point[]): Aim[] {
  const [, first] = curve
  const last = curve.at(-1)
  const gain = (read: (point: Point) => number) => read(last as Point) - read(first as Point)
  return [
    {
      name: 'heap gained after the first tenth, MiB',
      value: gain((point) => point.heapMiB),
      atMost: ALLOWED_MIB,
    },
    {
      name: 'RSS gained after the first tenth, MiB',
      value: gain((point) => point.rssMiB),
      atMost: ALLOWED_MIB,
    },
  ]
}

interface Report {
  readonly machine: Session['machine']
  readonly options: Options
  readonly curve: readonly Point[]
  readonly aims: readonly Aim[]
}

function toText({ machine, options, curve, aims }: Report): string {
  const method = `${options.connections} connections, mixed workload, after garbage collection`
  const rows = curve.map(({ events, rssMiB, heapMiB, outsideMiB }) => [
    whole(events),
    ...[rssMiB, heapMiB, outsideMiB].map((size) => size.toFixed(1)),
  ])
  const points = table(['events', 'RSS MiB', 'heap MiB', 'buffers MiB'], rows)
  return [...machineLines(machine), method, '', points, '', ...aims.map(aimLine)].join('\n')
}

await main()
