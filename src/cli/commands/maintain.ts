/** `clerk-sync maintain`: forgets what is past its retention. */

import type { Command } from 'commander'
import type { Forgotten, MaintenanceResult, RetentionKind } from '../../index.ts'
import { CommandError } from '../failure.ts'
import { listenForInterruption } from '../interruption.ts'
import { withDatabase } from '../open.ts'
import { type DatabaseOptions, withDatabaseOptions, withExamples } from '../options.ts'
import type { Output, Pen } from '../output.ts'
import { type Cell, formatExactTime, layOut } from '../text.ts'

interface MaintainCommandOptions extends DatabaseOptions {
  readonly dryRun?: boolean
}

export function register(command: Command): void {
  withExamples(command, [
    ['clerk-sync maintain --dry-run', 'show what would be deleted, by kind'],
    ['clerk-sync maintain', 'delete it now, in small batches'],
    ['clerk-sync maintain --json | jq .forgotten.eventBodies', 'for a script'],
  ])
  withDatabaseOptions(command)
    .option('--dry-run', 'show what would be deleted; change nothing')
    .action((_, self: Command) => maintain(self.optsWithGlobals()))
}

function maintain(options: MaintainCommandOptions): Promise<void> {
  return withDatabase(options, async (sync, output) => {
    await sync.check()
    using interruption = listenForInterruption()
    const result = await sync.maintain({ dryRun: options.dryRun, signal: interruption.signal })
    if (result === null) throw isBusy()
    report(result, output)
  })
}

function isBusy(): CommandError {
  return new CommandError(
    'maintenance_running',
    'Another process is running maintenance.',
    'Wait until it has finished; `clerk-sync start` runs maintenance every hour.',
  )
}

function report(result: MaintenanceResult, output: Output): void {
  output.print(result, (pen) => toLines(result, pen))
  for (const name of result.partitions) output.note(`Created partition ${name}`)
  if (result.isDryRun) output.note('Nothing was changed.')
  else if (!result.isComplete)
    output.note('Not finished: the time limit was reached, or a partition was in use. Run the command again.')
}

function toLines({ forgotten }: MaintenanceResult, pen: Pen): string[] {
  const rows = Object.entries(forgotten).map(([kind, each]) => toRow(kind as RetentionKind, each, pen))
  const title = ['kind', 'older than', 'rows', 'disk', ''].map((text) => ({ text, style: pen.colors.dim }))
  return layOut([title, ...rows], pen.width)
}

function toRow(kind: RetentionKind, { before, rows, bytes, held }: Forgotten, { colors }: Pen): Cell[] {
  if (before === null) return [{ text: kind }, { text: 'kept forever', style: colors.dim }]
  return [
    { text: kind },
    { text: formatExactTime(before) },
    { text: String(rows) },
    { text: bytes > 0 ? formatBytes(bytes) : '' },
    { text: held > 0 ? `${held} kept for unfinished runs` : '' },
  ]
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  return `${(bytes / 1024 ** power).toFixed(power > 1 ? 1 : 0)} ${UNITS[power]}`
}
