/** `clerk-sync events replay`: counts first, asks, then applies again. */

import type { Command } from 'commander'
import { type ClerkSync, ClerkSyncError, type EventFilter, type ReplayResult } from '../../index.ts'
import { countEvents, type EventTotals, OUTCOMES } from '../../inspect/events.ts'
import { isConfirmed } from '../confirm.ts'
import { EXIT, usageError } from '../failure.ts'
import { type FilterOptions, isEmpty, toFilter, withFilterOptions } from '../filter.ts'
import { Interrupted, listenForInterruption } from '../interruption.ts'
import { layOut } from '../layout.ts'
import { requireDatabase, withSync } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import { outcomeCell } from '../outcome.ts'
import { Output, type OutputOptions, type Pen } from '../output.ts'
import { formatTime } from '../times.ts'

interface ReplayOptions extends OutputOptions, DatabaseOptions, FilterOptions {
  readonly all?: boolean
  readonly yes?: boolean
}

export function registerReplay(command: Command): void {
  withExamples(command, [
    ['clerk-sync events replay --outcome failed', 'failed events, after you fixed the cause'],
    ['clerk-sync events replay msg_2Lh9KRb…', 'one event'],
    ['clerk-sync events replay --all --yes', 'everything, without a question'],
  ])
  withDatabaseOptions(withFilterOptions(command))
    .argument('[ids...]', 'events, by id')
    .option('--all', 'every event; required without another filter')
    .option('-y, --yes', 'do not ask for confirmation')
    .action((ids: string[], _, self: Command) => replay(ids, self.optsWithGlobals()))
}

async function replay(ids: readonly string[], options: ReplayOptions): Promise<void> {
  const output = new Output(options)
  const filter = { ...toFilter(options), ids: ids.length > 0 ? ids : undefined }
  if (isEmpty(filter) && !options.all) {
    throw usageError('Missing events to replay.', 'Pass ids, a filter such as --outcome failed, or --all.')
  }
  await withSync(options, output, async (sync) => {
    requireDatabase(sync)
    const totals = await countEvents(sync.database, filter)
    if (totals.total === 0 && ids.length > 0) throw new ClerkSyncError('event_not_found', ids.join(', '))
    const isWanted =
      totals.total === 0 || (await isConfirmed(describe(totals), QUESTION, options.yes === true, output))
    if (!isWanted) return output.note('Cancelled.')
    // What comes in while somebody reads the question is not part of it.
    const until = filter.until ?? totals.countedAt
    report(await run(sync, { ...filter, until }, totals.total, output), output)
  })
}

const QUESTION = 'Replay them? Newer rows are kept.'

/** `37 events (30 failed, 7 parked), received 09:12:01 to 14:31:40` */
function describe(totals: EventTotals): string {
  const outcomes = OUTCOMES.filter((outcome) => totals[outcome] > 0)
  const counts = outcomes.map((outcome) => `${totals[outcome]} ${outcome}`).join(', ')
  const times = new Set([totals.firstAt, totals.lastAt].map((time) => time && formatTime(time)))
  const noun = totals.total === 1 ? 'event' : 'events'
  return `${totals.total} ${noun} (${counts}), received ${[...times].join(' to ')}`
}

async function run(
  sync: ClerkSync,
  filter: EventFilter,
  total: number,
  output: Output,
): Promise<ReplayResult> {
  const interruption = listenForInterruption()
  let done = 0
  const onReceipt = () => {
    done++
    if (done % 100 === 0) output.progress(`${done} of ${total} …`)
  }
  try {
    return await sync.replay(filter, { signal: interruption.signal, onReceipt })
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    output.note(`Stopped after ${done} of ${total}. It is safe to replay them again.`)
    throw new Interrupted(await interruption.happened)
  } finally {
    output.progress('')
    interruption.dispose()
  }
}

function report(result: ReplayResult, output: Output): void {
  if (result.withoutBody > 0) tellOfBodiless(result, output)
  if (output.json) output.stdout.record(result)
  else for (const line of toLines(result, output.stdout)) output.stdout.line(line)
  const unsolved = result.failed + result.parked
  if (unsolved === 0) return
  output.note(
    'To list events that are still failed or parked: clerk-sync events list --outcome failed --outcome parked',
  )
  process.exitCode = EXIT.foundProblems
}

/** With a failing exit if nothing was left to replay. */
function tellOfBodiless({ withoutBody, matched }: ReplayResult, output: Output): void {
  const { code, message, remedy } = new ClerkSyncError('body_gone')
  output.note(`${withoutBody} of ${matched} not replayed: ${code}: ${message}`)
  output.note(`  ${remedy}`)
  if (withoutBody === matched) process.exitCode = EXIT.foundProblems
}

function toLines(result: ReplayResult, pen: Pen): string[] {
  const counted = OUTCOMES.filter((outcome) => result[outcome] > 0)
  const rows = counted.map((outcome) => [outcomeCell(outcome, pen), { text: String(result[outcome]) }])
  const bodiless = [{ text: 'body no longer kept' }, { text: String(result.withoutBody) }]
  const all = [{ text: 'matched' }, { text: String(result.matched) }]
  return layOut([...rows, ...(result.withoutBody > 0 ? [bodiless] : []), all], pen.width)
}
