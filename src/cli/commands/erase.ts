/** `clerk-sync erase`: removes what is stored of a user. */

import type { Command } from 'commander'
import { countOf } from '../../count-of.ts'
import type { ErasureCounts, ErasureResult } from '../../index.ts'
import { isConfirmed } from '../confirm.ts'
import { interruptible } from '../interruption.ts'
import { withDatabase } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import type { Output, Pen } from '../output.ts'
import { layOut } from '../text.ts'

interface EraseCommandOptions extends DatabaseOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync erase user_2Lh9KRb… --dry-run', 'count the stored data of this user, by table'],
    ['clerk-sync erase user_2Lh9KRb…', 'erase it, after a confirmation'],
  ])
  withDatabaseOptions(command)
    .argument('<user>', 'the user, by id')
    .option('--dry-run', 'count, but erase nothing')
    .option('-y, --yes', 'do not ask for confirmation')
    .action((user: string, _, self: Command) => erase(user, self.optsWithGlobals()))
}

function erase(user: string, options: EraseCommandOptions): Promise<void> {
  const { dryRun = false, yes = false } = options
  return withDatabase(options, async (sync, output) => {
    const found = await sync.erase(user, { dryRun: true })
    if (dryRun) return report(found, output)
    const question = 'Erase it? It cannot be undone.'
    if (!(await isConfirmed(describe(found), question, yes, output)))
      return output.note('Nothing was erased.')
    const onProgress = (counts: ErasureCounts) => output.progress(`${countOf(counts.events, 'event')} …`)
    const erased = await interruptible(
      output,
      (signal) => sync.erase(user, { signal, onProgress }),
      () => 'Stopped. No new data of this user is stored; run the command again to erase the rest.',
    )
    report(erased, output)
  })
}

/** `user_…: 14 rows in 6 tables, 120 events` */
function describe({ userId, rows, events }: ErasureResult): string {
  const tables = Object.keys(rows).length
  return `${userId}: ${countOf(sumOf(rows), 'row')} in ${countOf(tables, 'table')}, ${countOf(events, 'event')}`
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function report(result: ErasureResult, output: Output): void {
  output.print({ type: 'erase', ...result }, (pen) => toLines(result, pen))
  output.note(
    result.dryRun
      ? 'Nothing was erased. Run without --dry-run to erase.'
      : 'Backups, logs and your own tables are not covered: see docs/privacy.md.',
  )
}

function toLines({ rows, events, runs, texts }: ErasureResult, pen: Pen): string[] {
  const counts = [
    ...Object.entries(rows),
    ['events', events] as const,
    ['handler_runs', runs] as const,
    ...Object.entries(texts),
  ].filter(([, count]) => count > 0)
  if (counts.length === 0) return ['No data of this user is stored.']
  return layOut(
    counts.map(([name, count]) => [{ text: name }, { text: String(count) }]),
    pen.width,
  )
}
