/** Does harm until the time is over: each nemesis once, in an order that the seed chooses, then two at a time. */

import { setTimeout as sleep } from 'node:timers/promises'
import { NEMESES, type Nemesis } from './nemeses.ts'
import type { Random } from './random.ts'
import type { Sender } from './sender.ts'
import type { Site } from './site.ts'

export interface Harm {
  /** One nemesis, or two with a plus between them. */
  readonly name: string
  readonly startedAt: number
  readonly seconds: number
  /** The longest that no delivery was accepted, in seconds, until everything had caught up. */
  readonly unavailableSeconds: number
  /** From the end of the harm to the first accepted delivery. */
  readonly acceptedAfterSeconds: number | null
  /** From the end of the harm until everything sent before was accepted and handled; null if it took longer than was waited. */
  readonly caughtUpAfterSeconds: number | null
  /** What still waited when nobody waited any longer. */
  readonly left?: string
  /** It could not be done as meant. */
  readonly error?: string
}

interface Skipped {
  readonly name: string
  readonly reason: string
}

export interface HarmResult {
  readonly harms: readonly Harm[]
  readonly skipped: readonly Skipped[]
}

export interface HarmOptions {
  readonly names: readonly string[]
  readonly until: number
  readonly random: Random
  readonly onHarm: (harm: Harm) => void
}

const CATCH_UP_MS = 45_000
const CALM_MS = 1_000

export async function doHarm(site: Site, sender: Sender, options: HarmOptions): Promise<HarmResult> {
  const { random, until, onHarm } = options
  const wanted = NEMESES.filter(({ name }) => options.names.includes(name))
  const lacking = wanted.flatMap(({ name, lacks }) => {
    const reason = lacks?.(site)
    return reason ? [{ name, reason }] : []
  })
  const possible = wanted.filter(({ lacks }) => !lacks?.(site))
  const harms: Harm[] = []
  const queue = random.shuffled(possible)
  while (Date.now() < until && possible.length > 0) {
    await sleep(CALM_MS)
    const next = queue.shift()
    const nemeses = next ? [next] : mix(possible, random)
    const harm = await measure(site, sender, nemeses, random)
    harms.push(harm)
    onHarm(harm)
  }
  if (possible.length === 0) await sleep(Math.max(0, until - Date.now()))
  const late = queue.map(({ name }) => ({ name, reason: 'the time was over: give it more --minutes' }))
  return { harms, skipped: [...lacking, ...late] }
}

function mix(possible: readonly Nemesis[], random: Random): Nemesis[] {
  const [first, ...others] = random.shuffled(possible)
  const second = others.find(({ touches }) => touches !== first?.touches)
  return [first, second].filter((nemesis) => nemesis !== undefined)
}

async function measure(site: Site, sender: Sender, nemeses: Nemesis[], random: Random): Promise<Harm> {
  const startedAt = Date.now()
  const results = await Promise.allSettled(nemeses.map(({ run }) => run(site, random)))
  const healedAt = Date.now()
  const isCaughtUp = await catchUp(site, sender, healedAt)
  const caughtUpAt = Date.now()
  const left = isCaughtUp ? null : await describeLeft(site, sender, healedAt)
  const failed = results.find((result) => result.status === 'rejected')
  const firstAccepted = sender.acceptedAt.find((time) => time >= healedAt)
  return {
    name: nemeses.map(({ name }) => name).join(' + '),
    startedAt,
    seconds: (healedAt - startedAt) / 1_000,
    unavailableSeconds: longestGap(sender.acceptedAt, startedAt, caughtUpAt) / 1_000,
    acceptedAfterSeconds: firstAccepted === undefined ? null : (firstAccepted - healedAt) / 1_000,
    caughtUpAfterSeconds: isCaughtUp ? (caughtUpAt - healedAt) / 1_000 : null,
    ...(left && { left }),
    ...(failed && { error: String(failed.reason) }),
  }
}

async function catchUp(site: Site, sender: Sender, before: number): Promise<boolean> {
  while (Date.now() < before + CATCH_UP_MS) {
    if (sender.waiting(before) === 0 && (await countOpenRuns(site, before)) === 0) return true
    await sleep(100)
  }
  return false
}

async function describeLeft(site: Site, sender: Sender, before: number): Promise<string> {
  const rows = await site.query(
    `select handler, status, attempts, event_id, worker, round(extract(epoch from now() - created_at)) as age
     from clerk.handler_runs
     where status not in ('succeeded', 'discarded', 'dead') and created_at < to_timestamp($1)
     order by created_at limit 5`,
    [before / 1_000],
  )
  const runs = (rows ?? []).map((run) => Object.values(run).join(' '))
  return [`${sender.waiting(before)} messages wait`, ...runs].join('; ')
}

/** Null while nobody can say. */
export async function countOpenRuns(site: Site, before: number): Promise<number | null> {
  const rows = await site.query(
    `select count(*)::integer as open from clerk.handler_runs
     where status not in ('succeeded', 'discarded', 'dead') and created_at < to_timestamp($1)`,
    [before / 1_000],
  )
  return rows === null ? null : Number(rows[0]?.open)
}

/** Between accepted deliveries, and the edges of a span of time. */
export function longestGap(times: readonly number[], from: number, to: number): number {
  const within = [from, ...times.filter((time) => time > from && time < to), to]
  return Math.max(0, ...within.slice(1).map((time, index) => time - (within[index] as number)))
}
