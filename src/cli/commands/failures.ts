/** `clerk-sync failures`: runs of handlers that fail, trying them again, and discarding them. */

import type { Command } from 'commander'
import { countOf } from '../../count-of.ts'
import type { ClerkSync, RunFilter } from '../../index.ts'
import { readFailureGroups } from '../../inspect/failures.ts'
import type { FailureGroup } from '../../inspect/model.ts'
import { describeQuantity } from '../../inspect/quantity.ts'
import { read } from '../../inspect/reading.ts'
import { type BulkFlags, runBulk, withBulkOptions } from '../bulk.ts'
import { choose, isConfirmed } from '../confirm.ts'
import { usageError } from '../failure.ts'
import { withDatabase } from '../open.ts'
import {
  collect,
  type DatabaseOptions,
  parseCount,
  parseTime,
  withDatabaseOptions,
  withExamples,
} from '../options.ts'
import type { Output, Pen } from '../output.ts'
import { type Cell, formatTime, printable } from '../text.ts'

interface ChangeOptions extends DatabaseOptions, BulkFlags {
  readonly handler?: readonly string[]
  readonly group?: readonly string[]
  readonly dead?: boolean
  readonly since?: Date
  readonly until?: Date
  readonly all?: boolean
  readonly dryRun?: boolean
}

export function register(command: Command): void {
  withExamples(command.helpCommand(false), [
    ['clerk-sync failures list', 'failed runs, grouped by error'],
    ['clerk-sync failures retry --handler syncCrm', 'retry them, after you fixed the cause'],
    ['clerk-sync failures retry --group Xk3… --stop-after 5', 'retry one group; stop if it fails again'],
    ['clerk-sync failures discard --group Xk3… --note "test accounts"', 'do not retry these runs again'],
  ])
  withDatabaseOptions(command.command('list').summary('list failed runs, grouped by error')).action(
    (_, self: Command) => list(self.optsWithGlobals()),
  )
  withChangeOptions(command.command('retry').summary('try failed runs again'))
    .option('--stop-after <number>', 'stop when this many of the latest retries have failed', parseCount)
    .action((ids: string[], _, self: Command) => change('retry', ids, self.optsWithGlobals()))
  withChangeOptions(
    command.command('discard').summary('discard failed runs, so that they are not retried'),
  ).action((ids: string[], _, self: Command) => change('discard', ids, self.optsWithGlobals()))
}

function list(options: DatabaseOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    const groups = await readGroups(sync)
    output.list(groups, toCells)
    if (groups.length === 0) output.note('No failed runs.')
  })
}

function readGroups({ reads: database, location: { schema } }: ClerkSync): Promise<readonly FailureGroup[]> {
  return read({ database, schema }, (reading) => readFailureGroups(reading, false))
}

/** `syncCrm  Xk3…  37 retrying, 2 dead  since 14:02  Error: connect ECONNREFUSED` */
function toCells(group: FailureGroup, { colors }: Pen): Cell[] {
  const { handler, fingerprint, firstAt, isPaused } = group
  return [
    { text: isPaused ? `${handler} (paused)` : handler },
    { text: fingerprint ?? '', style: colors.dim },
    { text: countsOf(group) },
    { text: `since ${formatTime(new Date(firstAt))}`, style: colors.dim },
    { text: causeOf(group) },
  ]
}

function countsOf({ retrying, dead }: FailureGroup): string {
  const counts = [
    ...(retrying.value ? [`${describeQuantity(retrying)} retrying`] : []),
    ...(dead.value ? [`${describeQuantity(dead)} dead`] : []),
  ]
  return counts.join(', ')
}

function causeOf({ error }: FailureGroup): string {
  return (error ?? '').split('\n', 1)[0] as string
}

function withChangeOptions(command: Command): Command {
  return withBulkOptions(withDatabaseOptions(command))
    .argument('[events...]', 'the runs of these events, by id')
    .option('--handler <name>', 'of this handler; repeatable', collect)
    .option('--group <fingerprint>', 'of this group; repeatable', collect)
    .option('--dead', 'only runs that have exhausted their retries')
    .option('--since <time>', 'recorded at or after: 2026-11-01T09:30, or 1h', parseTime)
    .option('--until <time>', 'recorded before', parseTime)
    .option('--all', 'every failed run; required without another filter')
    .option('--dry-run', 'only count')
}

async function change(
  kind: 'retry' | 'discard',
  ids: readonly string[],
  options: ChangeOptions,
): Promise<void> {
  await withDatabase(options, async (sync, output) => {
    const filter = toFilter(ids, options) ?? (await chooseGroup(kind, options, sync, output))
    const matched = await sync.handlers.count(filter)
    const isRetry = kind === 'retry'
    const secretsForgotten = isRetry ? await sync.handlers.count({ ...filter, secretsForgotten: true }) : 0
    if (options.dryRun) return printCounts({ matched, ...(isRetry && { secretsForgotten }) }, output)
    if (matched === 0) return output.note('No runs match.')
    const question = isRetry ? 'Retry them?' : 'Discard them? They are never retried.'
    const what = `${countOf(matched, 'failed run')}${sayForgotten(secretsForgotten)}`
    if (!(await isConfirmed(what, question, options.yes, output))) return output.note('Cancelled.')
    await runBulk(options, output, (bulk) => sync.handlers[kind](filter, bulk))
  })
}

/** One of the groups, where somebody can choose; else they are listed, each with what names it. */
async function chooseGroup(
  kind: 'retry' | 'discard',
  options: ChangeOptions,
  sync: ClerkSync,
  output: Output,
): Promise<RunFilter> {
  const groups = await readGroups(sync)
  const statuses = statusesOf(options)
  if (!output.canAsk || groups.length === 0) {
    for (const group of groups)
      output.note(
        `clerk-sync failures ${kind} --handler ${group.handler} --group ${group.fingerprint}  # ${countsOf(group)}`,
      )
    throw usageError('Missing runs.', 'Pass ids, --handler, --group or --all.')
  }
  const chosen = await choose(`Which runs do you want to ${kind}?`, [
    ...groups.map((group, index) => ({
      value: String(index),
      label: printable(`${group.handler}: ${countsOf(group)}, ${causeOf(group)}`),
    })),
    { value: 'all', label: 'all of them' },
  ])
  const group = groups[Number(chosen)]
  if (group === undefined) return { statuses }
  return { handlers: [group.handler], fingerprints: [group.fingerprint as string], statuses }
}

/** What a retry cannot bring back. */
function sayForgotten(count: number): string {
  if (count === 0) return ''
  return `, of which ${count} lost the codes or links of their events: their handlers see [redacted], and those of email.created and sms.created are not called unless they accept it`
}

interface Counts {
  readonly matched: number
  readonly secretsForgotten?: number
}

function printCounts(counts: Counts, output: Output): void {
  output.print(counts, () => [`${counts.matched}${sayForgotten(counts.secretsForgotten ?? 0)}`])
}

/** Undefined if nothing says which. */
function toFilter(ids: readonly string[], options: ChangeOptions): RunFilter | undefined {
  const { handler, group, since, until, all } = options
  const narrowed = {
    handlers: handler,
    fingerprints: group,
    since,
    until,
    eventIds: ids.length > 0 ? ids : undefined,
  }
  if (!all && Object.values(narrowed).every((each) => each === undefined)) return undefined
  return { ...narrowed, statuses: statusesOf(options) }
}

function statusesOf({ dead }: ChangeOptions): RunFilter['statuses'] {
  return dead ? ['dead'] : ['retrying', 'dead']
}
