/** `clerk-sync events`: what was received, and applying it again. */

import type { Command } from 'commander'
import { RESOURCES } from '../../clerk/catalogue.ts'
import { textOf } from '../../clerk/exact-json.ts'
import { countOf } from '../../count-of.ts'
import { REASONS } from '../../explanations/reasons.ts'
import {
  type ClerkSync,
  ClerkSyncError,
  type EventFilter,
  type Outcome,
  type ReplayResult,
} from '../../index.ts'
import {
  countEvents,
  type EventDetails,
  type EventSummary,
  type EventTotals,
  getEvent,
  listEvents,
  OUTCOMES,
} from '../../inspect/events.ts'
import { isConfirmed } from '../confirm.ts'
import { entryLines, listShort, outcomeCell } from '../entry.ts'
import { detailLines, recordOf } from '../event-details.ts'
import { CommandError, EXIT, usageError } from '../failure.ts'
import { interruptible } from '../interruption.ts'
import { withDatabase } from '../open.ts'
import {
  collect,
  collectFrom,
  type DatabaseOptions,
  parseCount,
  parseTime,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import type { Output, Pen } from '../output.ts'
import { formatTime, layOut, printableLines } from '../text.ts'

export function register(command: Command): void {
  withExamples(command.helpCommand(false), [
    ['clerk-sync events list --since 1h', 'events of the last hour'],
    ['clerk-sync events show msg_2Lh9KRb…', 'facts, changes and payload of one event'],
    ['clerk-sync events replay --outcome failed', 'apply failed events again, after you fixed the cause'],
  ])
  registerList(command.command('list').summary('list events, newest first'))
  registerShow(command.command('show').summary('show one event'))
  registerReplay(command.command('replay').summary('apply recorded events again'))
}

interface ListOptions extends DatabaseOptions, FilterOptions {
  readonly limit: number
  readonly before?: string
}

const DEFAULT_LIMIT = 25

function registerList(command: Command): void {
  withExamples(command, [
    ['clerk-sync events list --outcome failed --outcome parked', 'what needs attention'],
    ['clerk-sync events list --type "user.*" --since 1h', 'user events of the last hour'],
    ['clerk-sync events list --subject user_2f9aK1 --json', 'the history of one user, as JSON'],
  ])
  withDatabaseOptions(withFilterOptions(command))
    .option('--limit <number>', 'maximum number of events', parseCount, DEFAULT_LIMIT)
    .option('--before <event>', 'list events older than this one')
    .action((_, self: Command) => list(self.optsWithGlobals()))
}

function list(options: ListOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    const { limit, before } = options
    const source = { database: sync.reads, schema: sync.location.schema }
    const events = await listEvents(source, toFilter(options), { limit, before })
    if (output.json) for (const event of events) output.stdout.record(event)
    else output.stdout.lines(events.flatMap((event) => listLines(event, output.stdout)))
    if (events.length === 0) output.note('No events match.')
    if (events.length === limit) output.note(`For older events add --before ${events.at(-1)?.id}`)
  })
}

function listLines(event: EventSummary, pen: Pen): string[] {
  const { received_at: at, outcome: result, type, resource_id, id, reason, changed } = event
  const detail = reason === null ? listShort(changed) : REASONS[reason].label
  return entryLines({ at, result, name: type ?? 'no event', ids: [resource_id ?? '', id], detail }, pen)
}

interface ShowOptions extends DatabaseOptions {
  readonly body?: boolean
}

function registerShow(command: Command): void {
  withExamples(command, [
    ['clerk-sync events show msg_2Lh9KRb…', 'facts, what changed, payload'],
    ['clerk-sync events show msg_2Lh9KRb… --body > body.json', 'the bytes that were signed'],
  ])
  withDatabaseOptions(command)
    .argument('<id>', 'the event’s id: its svix-id, msg_…')
    .option('--body', 'print the stored body and nothing else')
    .action((id: string, _, self: Command) => show(id, self.optsWithGlobals()))
}

function show(id: string, options: ShowOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    const event = await getEvent({ database: sync.database, schema: sync.location.schema }, id)
    if (options.body) printBody(event, output.stdout)
    else output.print(recordOf(event), (pen) => detailLines(event, pen))
  })
}

/** The bytes as they are, unless a terminal would obey them. */
function printBody({ id, body }: EventDetails, pen: Pen): void {
  if (body === null) {
    const remedy = 'Omit --body to see the other facts of the event.'
    throw new CommandError('body_not_kept', `The body of ${id} is no longer kept.`, remedy)
  }
  if (pen.isTerminal) pen.line(printableLines(textOf(body)))
  else pen.exact(body)
}

interface ReplayOptions extends DatabaseOptions, FilterOptions {
  readonly all?: boolean
  readonly yes?: boolean
}

function registerReplay(command: Command): void {
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
  const filter = { ...toFilter(options), ids: ids.length > 0 ? ids : undefined }
  if (Object.values(filter).every((condition) => condition === undefined) && !options.all) {
    throw usageError('Missing events to replay.', 'Pass ids, a filter such as --outcome failed, or --all.')
  }
  await withDatabase(options, async (sync, output) => {
    const totals = await countEvents(sync.database, filter)
    if (totals.total === 0 && ids.length > 0) throw new ClerkSyncError('event_not_found', ids.join(', '))
    const isWanted =
      totals.total === 0 || (await isConfirmed(describeTotals(totals), QUESTION, options.yes, output))
    if (!isWanted) return output.note('Cancelled.')
    // What comes in while somebody reads the question is not part of it.
    const until = filter.until ?? totals.countedAt
    reportReplay(await runReplay(sync, { ...filter, until }, totals.total, output), output)
  })
}

const QUESTION = 'Replay them? Newer rows are kept.'

/** `37 events (30 failed, 7 parked), received 09:12:01 to 14:31:40` */
function describeTotals(totals: EventTotals): string {
  const outcomes = OUTCOMES.filter((outcome) => totals[outcome] > 0)
  const counts = outcomes.map((outcome) => `${totals[outcome]} ${outcome}`).join(', ')
  const times = new Set([totals.firstAt, totals.lastAt].map((time) => time && formatTime(time)))
  return `${countOf(totals.total, 'event')} (${counts}), received ${[...times].join(' to ')}`
}

async function runReplay(
  sync: ClerkSync,
  filter: EventFilter,
  total: number,
  output: Output,
): Promise<ReplayResult> {
  let done = 0
  const onReceipt = () => {
    done++
    if (done % 100 === 0) output.progress(`${done} of ${total} …`)
  }
  return interruptible(
    output,
    (signal) => sync.replay(filter, { signal, onReceipt }),
    () => `Stopped after ${done} of ${total}. It is safe to replay them again.`,
  )
}

function reportReplay(result: ReplayResult, output: Output): void {
  if (result.withoutBody > 0) warnOfMissingBodies(result, output)
  output.print(result, (pen) => replayLines(result, pen))
  const unsolved = result.failed + result.parked
  if (unsolved === 0) return
  output.note(
    'To list events that are still failed or parked: clerk-sync events list --outcome failed --outcome parked',
  )
  process.exitCode = EXIT.foundProblems
}

/** With a failing exit if nothing was left to replay. */
function warnOfMissingBodies({ withoutBody, matched }: ReplayResult, output: Output): void {
  const { code, message, remedy } = new ClerkSyncError('body_gone')
  output.note(`${withoutBody} of ${matched} not replayed: ${code}: ${message}`)
  output.note(`  ${remedy}`)
  if (withoutBody === matched) process.exitCode = EXIT.foundProblems
}

function replayLines(result: ReplayResult, pen: Pen): string[] {
  const counted = OUTCOMES.filter((outcome) => result[outcome] > 0)
  const rows = counted.map((outcome) => [outcomeCell(outcome, pen), { text: String(result[outcome]) }])
  const bodiless = [{ text: 'body no longer kept' }, { text: String(result.withoutBody) }]
  const all = [{ text: 'matched' }, { text: String(result.matched) }]
  return layOut([...rows, ...(result.withoutBody > 0 ? [bodiless] : []), all], pen.width)
}

interface FilterOptions {
  readonly type?: readonly string[]
  readonly outcome?: readonly Outcome[]
  readonly resource?: readonly string[]
  readonly subject?: readonly string[]
  readonly since?: Date
  readonly until?: Date
}

function withFilterOptions(command: Command): Command {
  return command
    .option('--type <type>', 'event type, or user.* for all user events; repeatable', collect)
    .option('--outcome <outcome>', `${OUTCOMES.join(', ')}; repeatable`, collectFrom(OUTCOMES))
    .option('--resource <table>', 'users, organizations, …; repeatable', collectFrom([...RESOURCES.keys()]))
    .option('--subject <id>', 'Clerk id of the resource that the event is about, user_…; repeatable', collect)
    .option('--since <time>', 'received at or after: 2026-11-01T09:30, or 1h for an hour ago', parseTime)
    .option('--until <time>', 'received before', parseTime)
}

function toFilter({ type, outcome, resource, subject, since, until }: FilterOptions): EventFilter {
  return { types: type, outcomes: outcome, resources: resource, resourceIds: subject, since, until }
}
