/** `clerk-sync reconcile`: compares the tables with Clerk, says what differs and why, and repairs it. */

import type { Command } from 'commander'
import { coverageSentences } from '../../backfill/coverage.ts'
import { countOf } from '../../count-of.ts'
import type { DriftReport, FoundDrift, ReconcileResult, ResourceName } from '../../index.ts'
import { EXIT } from '../failure.ts'
import { withDatabase } from '../open.ts'
import { type DatabaseOptions, parseCount, withDatabaseOptions, withExamples } from '../options.ts'
import type { Output, Pen } from '../output.ts'
import { resourceArgument, runSweeps, sweepLines } from '../sweeps.ts'
import { layOut } from '../text.ts'

interface ReconcileCommandOptions extends DatabaseOptions {
  readonly dryRun?: boolean
  readonly full?: boolean
  readonly handlers?: boolean
  readonly restart?: boolean
  readonly maxDeletions?: number
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync reconcile --dry-run', 'report rows that differ from Clerk, by field and cause'],
    ['clerk-sync reconcile', 'repair them'],
    ['clerk-sync reconcile --full users', 'compare every user, not only recently changed ones'],
  ])
  withDatabaseOptions(command)
    .addArgument(resourceArgument())
    .option('--dry-run', 'compare everything and report; repair nothing')
    .option('--full', 'compare everything, also users that have not changed since the last reconcile')
    .option('--no-handlers', 'do not run handlers for repaired rows')
    .option('--restart', 'start from the beginning instead of continuing an interrupted run')
    .option('--max-deletions <count>', 'maximum rows of a resource to delete (20, or a quarter)', parseCount)
    .action((names: ResourceName[], _, self: Command) => reconcile(names, self.optsWithGlobals()))
}

function reconcile(names: readonly ResourceName[], options: ReconcileCommandOptions): Promise<void> {
  const { dryRun, full, handlers, restart, maxDeletions } = options
  const resources = names.length > 0 ? names : undefined
  return withDatabase(options, async (sync, output) => {
    const settings = { resources, dryRun, full, handlers, restart, maxDeletions }
    const result = await runSweeps(output, (run) => sync.reconcile({ ...settings, ...run }))
    report(result, options, output)
    if (resources === undefined && !output.json) printCoverage(result, output.stdout)
  })
}

/** Drift that is left in the tables, or a look that did not see everything, is exit code 3. */
function report(result: ReconcileResult, { dryRun = false }: ReconcileCommandOptions, output: Output): void {
  output.print({ type: 'reconcile', dryRun, ...result }, (pen) => [
    ...sweepLines(result, pen),
    '',
    ...driftLines(result.drift, pen),
  ])
  const { status, drift } = result
  if (dryRun && drift.total > 0) output.note('Nothing was repaired. Run without --dry-run to repair.')
  if (status !== 'complete') output.note('Incomplete. Run the command again to continue.')
  if (status !== 'complete' || (dryRun && drift.total > 0)) process.exitCode = EXIT.foundProblems
}

/** A reconcile of some resources leaves out others on purpose; one of all says which it could not read. */
function printCoverage({ unread }: ReconcileResult, pen: Pen): void {
  if (unread.length === 0) return
  pen.line()
  pen.line('Not covered:')
  for (const sentence of coverageSentences(unread)) pen.line(`  ${sentence}`)
}

const CAUSES: Readonly<Record<FoundDrift['cause'], string>> = {
  no_event: 'no event arrived',
  event_failed: 'an event failed',
  event_not_applied: 'an event was parked or ignored',
  edited: 'edited by hand',
}

function driftLines(drift: DriftReport, pen: Pen): string[] {
  const { green, yellow } = pen.colors
  const others =
    drift.refreshed > 0 ? `; ${drift.refreshed} had outdated counts or copies of other resources` : ''
  if (drift.total === 0) return [`${green('✓')} The tables match Clerk${others}.`]
  const rows = Object.entries(drift.resources).map(([name, { kinds, causes, fields }]) => [
    { text: name },
    { text: countsOf(kinds) },
    { text: countsOf(causes, (cause) => CAUSES[cause as FoundDrift['cause']]) },
    { text: countsOf(fields) },
  ])
  const head = ['resource', 'differs', 'probable cause', 'in'].map((text) => ({
    text,
    style: pen.colors.dim,
  }))
  return [
    `${yellow('!')} ${countOf(drift.total, 'row')} differed${others}.`,
    ...layOut([head, ...rows], pen.width),
  ]
}

/** `3 missing, 1 stale`, the most first. */
function countsOf(counts: Readonly<Record<string, number>>, label = (name: string) => name): string {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a)
  return entries.map(([name, count]) => `${count} ${label(name)}`).join(', ')
}
