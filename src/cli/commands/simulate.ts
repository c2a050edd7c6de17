/** `clerk-sync simulate`: a simulated Clerk lives, and a simulated Svix delivers what happens to a webhook route. */

import { type Command, InvalidArgumentError } from 'commander'
import { loadConfiguration, requireSecrets } from '../../configuration/configuration.ts'
import { WEBHOOK_PATHS } from '../../server/server.ts'
import { liveTraffic } from '../../simulation/pace.ts'
import { createSimulatedClerk, createSimulatedSvix, type DeliveryTotals } from '../../testing/index.ts'
import { EXIT } from '../failure.ts'
import { listenForInterruption } from '../interruption.ts'
import { noteLogger } from '../open.ts'
import { type GlobalOptions, parseCount, parseRate, parseUrl, withExamples } from '../options.ts'
import { Output } from '../output.ts'
import { defaultUrl } from '../serving.ts'
import { TrafficLog } from '../traffic-log.ts'

interface SimulateOptions extends GlobalOptions {
  readonly to?: URL
  readonly users: number
  /** Milliseconds from one action to the next. */
  readonly rate: number
  readonly count: number
  readonly seed: number
  readonly chaos?: boolean
  readonly timeScale: number
}

/** About as bad as a bad day. */
const CHAOS = { duplicates: 0.08, reorder: 0.15, forgeries: 0.02, delayMs: 30_000 }
const FIVE_A_SECOND = 200
/** Svix's next tries after 5 s, 5 min and 30 min come after 80 ms, 5 s and 30 s. */
const TIME_SCALE = 1 / 60

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync simulate', 'send traffic to clerk-sync start, until Ctrl-C'],
    [
      'clerk-sync simulate --to http://localhost:3000/api/webhooks/clerk --chaos',
      'send traffic with faults to your app',
    ],
    ['clerk-sync simulate --count 500 --rate 100/s --seed 7', 'the same 500 changes each time'],
  ])
  command
    .option('--to <url>', `the webhook route (http://localhost:PORT${WEBHOOK_PATHS[0]})`, parseUrl)
    .option('--users <number>', 'number of users at the start', parseCount, 20)
    .option('--rate <rate>', 'rate of changes, such as 10/s or 90/m (5/s)', parseRate, FIVE_A_SECOND)
    .option('--count <number>', 'stop after this many changes (endless)', parseCount, Infinity)
    .option('--seed <number>', 'repeat the history of this seed (random)', parseCount)
    .option('--chaos', 'also send messages twice, late or forged')
    .option('--time-scale <factor>', 'factor for the waits of Svix’s retries (1/60)', parseFactor, TIME_SCALE)
    .action((_, self: Command) => simulate(self.optsWithGlobals()))
}

async function simulate({ seed = anySeed(), ...options }: SimulateOptions): Promise<void> {
  const output = new Output(options)
  const configuration = await loadConfiguration(options)
  const [{ secret, instanceId }] = requireSecrets({ ...configuration.options, log: noteLogger(output) })
  const url = options.to ?? defaultUrl()
  using interruption = listenForInterruption()
  const log = new TrafficLog(output, url)
  const clerk = createSimulatedClerk({
    seed,
    startAt: Date.now(),
    instanceId: instanceId ?? undefined,
    // The rate says how busy it is.
    maxPauseMs: 1,
  })
  await using svix = createSimulatedSvix({
    ...(options.chaos && CHAOS),
    deliver: log.deliver,
    secret,
    seed,
    timeScale: options.timeScale,
  })
  output.note(`Simulated Clerk ${clerk.instanceId}, seed ${seed} → ${url}`)
  for await (const events of liveTraffic(clerk, options, interruption.signal)) svix.send(events)
  await Promise.race([svix.settled(), interruption.happened])
  summarize(svix.report().totals, output)
  interruption.signal.throwIfAborted()
}

function summarize(totals: DeliveryTotals, output: Output): void {
  const { messages, accepted, duplicates, reordered, forgeries, forgeriesRefused } = totals
  const isClean = accepted === messages && forgeriesRefused === forgeries
  const counts = { messages, accepted, duplicates, reordered, forgeries, forgeries_refused: forgeriesRefused }
  if (output.json) output.stdout.record({ type: 'summary', ...counts })
  const parts = [
    `${messages} messages`,
    `${accepted} accepted`,
    `${duplicates} sent twice`,
    `${reordered} out of order`,
    `${forgeries} forged, ${forgeriesRefused} of them refused`,
  ]
  output.note(`\n${parts.join(' · ')}`)
  if (!isClean) process.exitCode = EXIT.failed
}

function anySeed(): number {
  return Math.floor(Math.random() * 1_000_000)
}

/** `0.01` or `1/60`. */
function parseFactor(text: string): number {
  const [numerator, denominator = '1'] = text.split('/')
  const factor = Number(numerator) / Number(denominator)
  if (Number.isFinite(factor) && factor > 0) return factor
  throw new InvalidArgumentError('It must be a number above 0, such as 0.01 or 1/60.')
}
