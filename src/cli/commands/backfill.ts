/** `clerk-sync backfill`: imports existing data from Clerk. */

import type { Command } from 'commander'
import type { BackfillResult, ResourceName } from '../../index.ts'
import { EXIT } from '../failure.ts'
import { withSync } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import type { Output } from '../output.ts'
import { resourceArgument, runSweeps, sweepLines } from '../sweeps.ts'

interface BackfillCommandOptions extends DatabaseOptions {
  readonly dryRun?: boolean
  readonly handlers?: boolean
  readonly restart?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync backfill', 'everything that Clerk lists; continues after an interruption'],
    ['clerk-sync backfill users organizations', 'only these'],
    ['clerk-sync backfill sessions', 'only on request, as it needs one API request per user'],
    ['clerk-sync backfill --dry-run', 'what would be written'],
  ])
  withDatabaseOptions(command)
    .addArgument(resourceArgument())
    .option('--dry-run', 'compare, but write nothing')
    .option('--handlers', 'run handlers for each written row, as if it had just been created')
    .option('--restart', 'start from the beginning instead of continuing an interrupted run')
    .action((names: ResourceName[], _, self: Command) => backfill(names, self.optsWithGlobals()))
}

function backfill(names: readonly ResourceName[], options: BackfillCommandOptions): Promise<void> {
  const { dryRun, handlers, restart } = options
  const resources = names.length > 0 ? names : undefined
  return withSync(options, async (sync, output) => {
    const result = await runSweeps(output, (run) =>
      sync.backfill({ resources, dryRun, handlers, restart, ...run }),
    )
    report(result, options, output)
  })
}

function report(result: BackfillResult, { dryRun = false }: BackfillCommandOptions, output: Output): void {
  output.print({ type: 'backfill', dryRun, ...result }, (pen) => sweepLines(result, pen))
  if (dryRun) output.note('Nothing was written.')
  if (result.status === 'complete') return
  output.note(
    result.status === 'failed'
      ? 'Interrupted by an error of Clerk’s API. Run the command again to continue.'
      : 'Incomplete. Run the command again to continue.',
  )
  process.exitCode = EXIT.foundProblems
}
