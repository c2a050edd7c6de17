/** How commands report a bulk job. */

import type { Command } from 'commander'
import type { BulkOptions, BulkResult } from '../index.ts'
import { EXIT } from './failure.ts'
import { listenForInterruption } from './interruption.ts'
import { parseCount } from './options.ts'
import type { Output } from './output.ts'

export interface BulkFlags {
  readonly rate?: number
  readonly stopAfter?: number
  readonly note?: string
  readonly yes?: boolean
}

export function withBulkOptions(command: Command): Command {
  return command
    .option('--rate <number>', 'maximum per second (20)', parseCount)
    .option('--note <text>', 'why; kept with each run')
    .option('-y, --yes', 'do not ask for confirmation')
}

/** Does it, tells how far it is, and stops when interrupted. */
export async function runBulk(
  flags: BulkFlags,
  output: Output,
  work: (options: BulkOptions) => Promise<BulkResult>,
): Promise<void> {
  using interruption = listenForInterruption()
  const { signal } = interruption
  const onProgress: BulkOptions['onProgress'] = ({ matched, seen }) =>
    output.progress(`${seen} of ${matched} …`)
  const { rate: perSecond, stopAfter: stopAfterFailures, note } = flags
  const result = await work({ perSecond, stopAfterFailures, note, signal, onProgress })
  output.progress('')
  report(result, output)
  signal.throwIfAborted()
}

function report(result: BulkResult, output: Output): void {
  if (output.json) output.stdout.record(result)
  else output.stdout.line(`${result.changed} of ${result.matched}, ${result.status} (${result.jobId})`)
  if (result.status === 'incomplete') {
    output.note('Stopped because the retried runs failed again: clerk-sync failures list')
    process.exitCode = EXIT.foundProblems
  }
  if (result.status === 'aborted') output.note('Stopped. The remaining runs are unchanged.')
}
