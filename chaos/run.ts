/**
 * Sends events to receivers and workers while everything around them breaks, then checks that nothing was lost, doubled,
 * misordered or left undone. Exits with 1 if something was. See docs/reliability.md.
 *
 *     npm run chaos -- --minutes 4 --seed 7
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { check, countRepeats, type Observation } from './check.ts'
import { damage, FaultyFront } from './guards.ts'
import { countOpenRuns, doHarm, type HarmResult } from './harm.ts'
import { observe } from './observe.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { Random } from './random.ts'
import {
  countKind,
  describeHarm,
  describeResult,
  HARM_HEADER,
  type Result,
  VIOLATION_KINDS,
} from './report.ts'
import { Sender } from './sender.ts'
import { Site } from './site.ts'
import { Traffic } from './traffic.ts'

const WEBHOOK_PATH = '/webhooks/clerk'

async function main(): Promise<number> {
  const options = parse()
  if (options === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  const say = options.json ? () => undefined : (line: string) => process.stdout.write(`${line}\n`)
  say(
    `seed ${options.seed}, engine ${options.engine}, ${options.minutes} minutes, ${options.rate} events a second`,
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
  const site = await Site.create(options)
  let result: Result | undefined
  try {
    result = await runChaos(site, options, say)
  } finally {
    await site.close(result === undefined || hasFailed(result))
  }
  process.stdout.write(options.json ? `${JSON.stringify(toJson(result))}\n` : `${describeResult(result)}\n`)
  return hasFailed(result) ? 1 : 0
}

/** Harm that could not be done proves nothing. */
function hasFailed({ violations, harms }: Result): boolean {
  return violations.length > 0 || harms.some(({ error }) => error !== undefined)
}

function parse(): Options | 'help' {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(2)
  }
}

async function runChaos(site: Site, options: Options, say: (line: string) => void): Promise<Result> {
  // Three sources of chance: what is sent does not depend on how often something was tried again.
  const traffic = new Traffic(new Random(options.seed + 1))
  const fronts = options.guard === 'acknowledge' ? await putFrontsBefore(site, options.seed) : []
  const urls =
    fronts.length > 0
      ? fronts.map(({ url }) => url)
      : site.receivers.map(({ url }) => `${url}${WEBHOOK_PATH}`)
  const { secret } = site
  const random = new Random(options.seed + 2)
  const sender = new Sender({ targets: urls, secret, random, compress: options.compress })

  const until = Date.now() + options.minutes * 60_000
  let isSending = true
  const sending = sender.sendUntil(() => !isSending, traffic, options.rate)
  say(HARM_HEADER)
  const harm = await doHarm(site, sender, {
    names: options.nemeses,
    until,
    random: new Random(options.seed),
    onHarm: (each) => say(describeHarm(each)),
  })
  isSending = false
  await sending
  await settle(site, sender, options.settleSeconds * 1_000)
  if (options.guard) await damage(site, options.guard)
  const observation = await observe(site, traffic, sender)
  for (const front of fronts) front.close()
  return {
    ...harm,
    options,
    counts: count(site, sender, observation, harm),
    violations: check(observation),
    logs: site.folder,
  }
}

function putFrontsBefore(site: Site, seed: number): Promise<FaultyFront[]> {
  const random = new Random(seed + 3)
  return Promise.all(site.receivers.map(({ url }) => FaultyFront.before(`${url}${WEBHOOK_PATH}`, random)))
}

/** Everything is accepted and handled, or the checker says what is not. */
async function settle(site: Site, sender: Sender, milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds
  await sender.recover(milliseconds)
  while (Date.now() < end && (await countOpenRuns(site, Date.now() + 60_000)) !== 0) await sleep(200)
}

function count(
  site: Site,
  sender: Sender,
  observation: Observation,
  { harms }: HarmResult,
): Record<string, number> {
  const { outcomes, messages } = sender
  return {
    'events acknowledged': messages.filter(({ ackedAt }) => ackedAt !== null).length,
    'events sent': messages.length,
    'attempts accepted': outcomes.accepted,
    'attempts refused': outcomes.refused,
    'attempts that timed out': outcomes.timeout,
    'attempts cut or unreachable': outcomes.unreachable,
    'exhausted, then recovered': messages.filter(({ isExhausted }) => isExhausted).length,
    'sent again after a 2xx': sender.duplicates,
    'effects in transactions': observation.effects.length,
    'calls outside': observation.calls.size,
    'calls repeated': countRepeats(observation.calls),
    'kill -9': site.processes.reduce((sum, { kills }) => sum + kills, 0),
    'commit replies lost': site.lostReplies,
    'harms done': harms.length,
  }
}

function toJson(result: Result) {
  const totals = Object.fromEntries(VIOLATION_KINDS.map((kind) => [kind, countKind(result.violations, kind)]))
  return { ...result, totals }
}

process.exit(await main())
