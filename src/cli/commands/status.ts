/** `clerk-sync status`: the sentence that the dashboard begins with. */

import type { Command } from 'commander'
import { toUnavailable } from '../../database/failure.ts'
import { FAR_MS, formatRoundTrip, measureRoundTrip } from '../../doctor/database.ts'
import { formatDuration } from '../../duration.ts'
import type { ClerkSync } from '../../index.ts'
import { type HookFailure, readHookFailure } from '../../inspect/alert-hook.ts'
import type { HealthState, Overview, Status } from '../../inspect/model.ts'
import { readOverview } from '../../inspect/overview.ts'
import { describeQuantity } from '../../inspect/quantity.ts'
import { read } from '../../inspect/reading.ts'
import { describeReplica, type ReplicaState, readReplica } from '../../inspect/replica.ts'
import { statusOfOutage } from '../../inspect/status.ts'
import { EXIT } from '../failure.ts'
import { watchChanges } from '../interruption.ts'
import { withDatabase } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import type { Output, Pen } from '../output.ts'
import { printable } from '../text.ts'

interface StatusOptions extends DatabaseOptions {
  readonly watch?: boolean
}

const WATCH_EVERY_MS = 2_000

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync status', 'whether data is current, handlers fail or events are lost'],
    ['clerk-sync status --watch', 'print the summary whenever it changes'],
    ['clerk-sync status --json | jq .status.state', 'for a script; exits with 3 if something is wrong'],
  ])
  withDatabaseOptions(command)
    .option('--watch', 'check every two seconds, until Ctrl-C')
    .action((_, self: Command) => showStatus(self.optsWithGlobals()))
}

async function showStatus(options: StatusOptions): Promise<void> {
  await withDatabase(options, async (sync, output) => {
    if (options.watch)
      return watchChanges(
        WATCH_EVERY_MS,
        () => look(sync),
        ({ status }) => essenceOf(status),
        (seen) => show(seen, output),
      )
    const seen = await look(sync)
    show(seen, output)
    if (seen.status.state === 'down') process.exitCode = EXIT.failed
    else if (isWrong(seen.status.state)) process.exitCode = EXIT.foundProblems
  })
}

/** What is known beside the overview. */
interface Surroundings {
  readonly alertHook?: HookFailure | null
  readonly roundTripMs?: number | null
  readonly replica?: ReplicaState | undefined
}

/** What was seen; without numbers if the database is down. */
type Seen = Pick<Overview, 'status'> & Partial<Overview> & Surroundings

async function look(sync: ClerkSync): Promise<Seen> {
  const { database, reads, location, configuration, clerk } = sync
  const surroundings = {
    isEnabled: (name: string) => configuration.resources.has(name),
    canBackfill: clerk.isConfigured,
    isMasked: true,
  }
  try {
    await sync.check()
    const source = { database: reads, schema: location.schema }
    const overview = await read(source, async (reading) => ({
      ...(await readOverview(reading, surroundings)),
      alertHook: await readHookFailure(reading),
    }))
    return {
      ...overview,
      // The embedded database is in this process.
      roundTripMs: location.kind === 'embedded' ? null : await measureRoundTrip(database),
      ...(reads !== database && { replica: await readReplica(reads) }),
    }
  } catch (error) {
    return { status: statusOfOutage(toUnavailable(error).message) }
  }
}

/** The sentence of a healthy sync changes with every second. */
function essenceOf({ state, sentence, data }: Status): string {
  return state === 'healthy' ? `${state} ${data}` : sentence
}

function show(seen: Seen, output: Output): void {
  output.print(seen, (pen) => toLines(seen, pen))
}

function toLines(seen: Seen, pen: Pen): string[] {
  const { status } = seen
  const { bold, dim } = pen.colors
  return [
    `${markOf(status.state, pen)} ${bold(printable(status.sentence))}`,
    `  ${printable(status.data)}`,
    ...numbersOf(seen).map(([name, value]) => `  ${dim(name.padEnd(12))} ${value}`),
  ]
}

function numbersOf(seen: Seen): [name: string, value: string][] {
  const { lag, waiting, notApplied, jobs, roundTripMs, replica, alertHook } = seen
  if (!lag || !waiting || !notApplied || !jobs) return []
  const { failed, parked, dead, rejected } = notApplied
  const unapplied = Object.entries({ failed, parked, dead })
  const numbers: [name: string, value: string | undefined][] = [
    ['lag p95', lag.p95Ms === null ? 'unknown' : formatDuration(lag.p95Ms)],
    ['waiting', describeQuantity(waiting.count)],
    ['not applied', unapplied.map(([name, count]) => `${describeQuantity(count)} ${name}`).join(' · ')],
    ['rejected', `${describeQuantity(rejected)} in the last 24 hours`],
    ['round trip', roundTripMs ? describeRoundTrip(roundTripMs) : undefined],
    ['replica', replica && describeReplica(replica)],
    ['alert hook', alertHook ? printable(`fails since ${alertHook.at}: ${alertHook.failure}`) : undefined],
    ...jobs.map(({ title }): [string, string] => ['job', printable(title)]),
  ]
  return numbers.filter((number): number is [string, string] => number[1] !== undefined)
}

function describeRoundTrip(milliseconds: number): string {
  const time = `${formatRoundTrip(milliseconds)} to the database`
  if (milliseconds <= FAR_MS) return time
  return `${time} – far: every delivery waits for two of them; run the app in the database’s region`
}

function isWrong(state: HealthState): boolean {
  return state === 'degraded' || state === 'blind' || state === 'down'
}

function markOf(state: HealthState, { colors, isUnicode }: Pen): string {
  if (!isWrong(state)) return colors.green(isUnicode ? '✓' : 'OK')
  return state === 'down' ? colors.red(isUnicode ? '✗' : 'ERR') : colors.yellow(isUnicode ? '▲' : '!')
}
