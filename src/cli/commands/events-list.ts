/** `clerk-sync events list`. */

import type { Command } from 'commander'
import { type EventSummary, listEvents } from '../../inspect/events.ts'
import { REASONS } from '../../inspect/reasons.ts'
import { type FilterOptions, toFilter, withFilterOptions } from '../filter.ts'
import { type Cell, layOut, roomOf } from '../layout.ts'
import { requireDatabase, withSync } from '../open.ts'
import { type DatabaseOptions, parseCount, withDatabaseOptions, withExamples } from '../options.ts'
import { outcomeCell } from '../outcome.ts'
import { Output, type OutputOptions, type Pen } from '../output.ts'
import { formatTime } from '../times.ts'

interface ListOptions extends OutputOptions, DatabaseOptions, FilterOptions {
  readonly limit: number
  readonly before?: string
}

const DEFAULT_LIMIT = 25

export function registerList(command: Command): void {
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
  const output = new Output(options)
  return withSync(options, output, async (sync) => {
    requireDatabase(sync)
    const { limit, before } = options
    const events = await listEvents(sync.reads, toFilter(options), { limit, before })
    print(events, output)
    if (events.length === 0) output.note('No events match.')
    if (events.length === limit) output.note(`For older events add --before ${events.at(-1)?.id}`)
  })
}

function print(events: readonly EventSummary[], { json, stdout }: Output): void {
  if (json) {
    for (const event of events) stdout.record(event)
    return
  }
  const rows = events.map((event) => toCells(event, stdout))
  for (const line of layOut(rows, stdout.width)) stdout.line(line)
}

/** An id is never cut: half of one is good for nothing. */
function toCells(event: EventSummary, pen: Pen): Cell[] {
  const { dim } = pen.colors
  const start = [{ text: formatTime(event.received_at), style: dim }, outcomeCell(event.outcome, pen)]
  const id = { text: event.id, style: dim }
  const type = { text: event.type ?? 'no event' }
  const room = roomOf(pen.width)
  if (room === 'narrow') return [...start, type]
  if (room === 'medium') return [...start, id, type]
  const reason = { text: event.reason === null ? '' : REASONS[event.reason], style: dim }
  return [...start, id, type, { text: event.resource_id ?? '' }, reason]
}
