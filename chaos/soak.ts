/**
 * Sends events for a long time while nothing breaks, and exits with 1 if memory, descriptors, connections or bloat grow. See
 * docs/reliability.md.
 *
 *     npm run soak -- --minutes 60
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Gauge, gaugesOf } from './gauges.ts'
import { Random } from './random.ts'
import { Sender } from './sender.ts'
import { type EngineName, Site } from './site.ts'
import { Traffic } from './traffic.ts'
import { type Trend, trendOf } from './trend.ts'

/** Enough for a trend, and few enough that reading does not count. */
const READINGS = 120
const MIN_PAUSE_MS = 250

interface Options {
  readonly minutes: number
  readonly rate: number
  readonly seed: number
  readonly engine: EngineName
}

function readOptions(): Options {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      minutes: { ...text, default: '60' },
      rate: { ...text, default: '20' },
      seed: { ...text, default: '1' },
      engine: { ...text, default: 'postgres' },
    },
  })
  const [minutes, rate, seed] = [Number(values.minutes), Number(values.rate), Number(values.seed)]
  if (!(minutes > 0 && rate > 0 && seed >= 0))
    throw new Error('--minutes and --rate must be positive numbers')
  return { minutes, rate, seed, engine: values.engine === 'bullmq' ? 'bullmq' : 'postgres' }
}

/** @returns whether everything stayed flat and everything sent was accepted */
async function main({ minutes, rate, seed, engine }: Options): Promise<boolean> {
  console.log(`${minutes} minutes, ${rate} events a second, engine ${engine}, one receiver and one worker`)
  const site = await Site.create({ receivers: 1, workers: 1, engine })
  try {
    await site.query('create extension if not exists pgstattuple')
    const sender = new Sender({
      targets: site.receivers.map(({ url }) => `${url}/webhooks/clerk`),
      secret: site.secret,
      random: new Random(seed),
      compress: 1,
    })
    const until = Date.now() + minutes * 60_000
    const isOver = () => Date.now() >= until
    const sending = sender.sendUntil(isOver, new Traffic(new Random(seed + 1)), rate)
    const readings = await readUntil(isOver, site, Math.max(MIN_PAUSE_MS, (minutes * 60_000) / READINGS))
    await sending
    await sender.recover(30_000)
    return report(readings, sender)
  } finally {
    await site.close(false)
  }
}

async function readUntil(isOver: () => boolean, site: Site, pauseMs: number): Promise<Map<Gauge, number[]>> {
  const readings = new Map<Gauge, number[]>(gaugesOf(site).map((gauge) => [gauge, []]))
  while (!isOver()) {
    await sleep(pauseMs)
    for (const [gauge, values] of readings) values.push(await gauge.read(site))
  }
  return readings
}

function report(readings: ReadonlyMap<Gauge, readonly number[]>, { messages }: Sender): boolean {
  const accepted = messages.filter(({ ackedAt }) => ackedAt !== null).length
  console.log(`${accepted} of ${messages.length} events acknowledged\n`)
  console.log(line('least value, after the warm-up and at the end', 'before', 'after', ''))
  const trends = [...readings].map(([gauge, values]) => ({ gauge, trend: trendOf(values, gauge.tolerance) }))
  for (const { gauge, trend } of trends) console.log(describeTrend(gauge, trend))
  return accepted === messages.length && trends.every(({ trend }) => trend.isFlat)
}

function describeTrend({ name }: Gauge, { before, after, isFlat }: Trend): string {
  return line(name, before.toFixed(1), after.toFixed(1), isFlat ? 'flat' : 'GROWS')
}

function line(name: string, before: string, after: string, verdict: string): string {
  return `${name.padEnd(52)} ${before.padStart(9)} ${after.padStart(9)}  ${verdict}`.trimEnd()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
process.exit((await main(readOptions())) ? 0 : 1)
