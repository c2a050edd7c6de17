/** `clerk-sync backfill`: fills the tables with what there was before any event. */

import type { Command } from 'commander'
import type { BackfillResult, ResourceName } from '../../index.ts'
import { EXIT } from '../failure.ts'
import { withSync } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import { Output, type OutputOptions } from '../output.ts'
import { resourceArgument } from '../resources.ts'
import { runSweeps, sweepLines } from '../sweeps.ts'

interface BackfillCommandOptions extends OutputOptions, DatabaseOptions {
  readonly dryRun?: boolean
  readonly handlers?: boolean
  readonly restart?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync backfill', 'everything that Clerk lists; stopped or killed, it goes on the next time'],
    ['clerk-sync backfill users organizations', 'only these'],
    ['clerk-sync backfill sessions', 'a request per user: only if you ask for it'],
    ['clerk-sync backfill --dry-run', 'what would be written'],
  ])
  withDatabaseOptions(command)
    .addArgument(resourceArgument())
    .option('--dry-run', 'compare, and write nothing')
    .option('--handlers', 'run the handlers for what is written, as if it had just been created')
    .option('--restart', 'begin anew, even if an earlier run was stopped in the middle')
    .action((names: ResourceName[], _, self: Command) => backfill(names, self.optsWithGlobals()))
}

function backfill(names: readonly ResourceName[], options: BackfillCommandOptions): Promise<void> {
  const output = new Output(options)
  const { dryRun, handlers, restart } = options
  const resources = names.length > 0 ? names : undefined
  return withSync(options, output, async (sync) => {
    const result = await runSweeps(output, (run) =>
      sync.backfill({ resources, dryRun, handlers, restart, ...run }),
    )
    report(result, options, output)
  })
}

function report(result: BackfillResult, { dryRun = false }: BackfillCommandOptions, output: Output): void {
  if (output.json) output.stdout.record({ type: 'backfill', dryRun, ...result })
  else for (const line of sweepLines(result, output.stdout)) output.stdout.line(line)
  if (dryRun) output.note('Nothing was written.')
  if (result.status === 'complete') return
  output.note(
    result.status === 'failed'
      ? 'Clerk’s API interrupted it: run it again, and it goes on there.'
      : 'It is incomplete: run it again.',
  )
  process.exitCode = EXIT.foundProblems
}
