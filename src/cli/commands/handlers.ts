/** `clerk-sync handlers`: which there are, pausing them, and running one for the past. */

import type { Command } from 'commander'
import { RESOURCES } from '../../clerk/catalogue.ts'
import type { HandlerInfo, Past } from '../../index.ts'
import { type BulkFlags, runBulk, withBulkOptions } from '../bulk.ts'
import { isConfirmed } from '../confirm.ts'
import { usageError } from '../failure.ts'
import { withDatabase } from '../open.ts'
import {
  collectFrom,
  type DatabaseOptions,
  parseTime,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import { formatTime } from '../text.ts'

interface PauseOptions extends DatabaseOptions {
  readonly reason?: string
}

interface RunOptions extends DatabaseOptions, BulkFlags {
  readonly since?: Date
  readonly until?: Date
  readonly existing?: readonly [string]
}

export function register(command: Command): void {
  withExamples(command.helpCommand(false), [
    ['clerk-sync handlers list', 'all handlers, and which are paused'],
    ['clerk-sync handlers pause syncCrm --reason "CRM is down"', 'its runs wait; nothing is lost'],
    ['clerk-sync handlers run welcome --existing users', 'run a new handler for all existing users'],
    ['clerk-sync handlers run audit --since 7d', 'run a handler for the events of the last week'],
  ])
  withDatabaseOptions(command.command('list').summary('list handlers')).action((_, self: Command) =>
    list(self.optsWithGlobals()),
  )
  withDatabaseOptions(command.command('pause').summary('pause a handler; its runs wait'))
    .argument('<name>')
    .option('--reason <text>', 'why it is paused')
    .action((name: string, _, self: Command) => pause(name, self.optsWithGlobals()))
  withDatabaseOptions(command.command('resume').summary('resume a paused handler'))
    .argument('<name>')
    .action((name: string, _, self: Command) => resume(name, self.optsWithGlobals()))
  withBulkOptions(
    withDatabaseOptions(command.command('run').summary('run a handler for earlier events or existing rows')),
  )
    .argument('<name>')
    .option(
      '--existing <resource>',
      'run it for the current rows of this table',
      collectFrom([...RESOURCES.keys()]),
    )
    .option('--since <time>', 'run it for events received at or after: 2026-11-01T09:30, or 7d', parseTime)
    .option('--until <time>', 'received before', parseTime)
    .action((name: string, _, self: Command) => run(name, self.optsWithGlobals()))
}

function list(options: DatabaseOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    const handlers = await sync.handlers.list()
    output.list(handlers, toCells)
    if (handlers.length === 0)
      output.note('There are no handlers. Add them to clerk-sync.config.ts, under `handlers`.')
  })
}

function toCells({ name, patterns, pausedAt, pauseReason }: HandlerInfo) {
  const state =
    pausedAt === null ? '' : `paused since ${formatTime(pausedAt)}${pauseReason ? `: ${pauseReason}` : ''}`
  return [{ text: name }, { text: patterns.join(', ') }, { text: state }]
}

function pause(name: string, options: PauseOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    await sync.handlers.pause(name, options.reason)
    output.note(`${name} is paused: its runs wait. To resume it: clerk-sync handlers resume ${name}`)
  })
}

function resume(name: string, options: DatabaseOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    await sync.handlers.resume(name)
    output.note(`${name} is resumed.`)
  })
}

function run(name: string, options: RunOptions): Promise<void> {
  const past = pastOf(options)
  return withDatabase(options, async (sync, output) => {
    const what = 'existing' in past ? `the rows of ${past.existing}` : 'the events of that time'
    const question = 'Run it where it has not run yet?'
    if (!(await isConfirmed(`Handler ${name}, for ${what}`, question, options.yes, output))) {
      return output.note('Cancelled.')
    }
    await runBulk(options, output, (bulk) => sync.handlers.run(name, past, bulk))
  })
}

function pastOf({ existing, since, until }: RunOptions): Past {
  if ((existing === undefined) === (since === undefined)) {
    throw usageError(
      'Pass either --existing or --since, and not both.',
      'For example --existing users, or --since 7d.',
    )
  }
  return existing ? { existing: existing[0] } : { since: since as Date, until }
}
