/** Runs a backfill or reconcile for people who watch: how far it is, how fast, and how long it will take. */

import { Argument, InvalidArgumentError } from 'commander'
import { RESOURCES, type ResourceName } from '../clerk/catalogue.ts'
import { closest } from '../closest.ts'
import { countOf } from '../count-of.ts'
import { formatDuration } from '../duration.ts'
import type { BackfillOptions, SweepProgress, SweepsProgress } from '../index.ts'
import { interruptible } from './interruption.ts'
import type { Output, Pen } from './output.ts'
import { type Cell, layOut } from './text.ts'

/** What a run is given to be watched and stopped by. */
type Watched = Required<Pick<BackfillOptions, 'signal' | 'onProgress'>>

/** Runs it, shows its progress, and stops it after the page under way when it is interrupted. */
export async function runSweeps<Result>(
  output: Output,
  run: (watched: Watched) => Promise<Result>,
): Promise<Result> {
  let hasBegun = false
  const onProgress = (progress: SweepsProgress) => {
    if (!hasBegun && progress.isResumed) output.note('Continuing an earlier run.')
    hasBegun = true
    output.progress(progressLine(progress))
  }
  return interruptible(
    output,
    (signal) => run({ signal, onProgress }),
    () => 'Stopped. Written rows are kept; the next run continues here.',
  )
}

/** `users  12,000 of 50,000 (24%)  1,250/s  30.4s left  2 waits for 429` */
function progressLine({ resources }: SweepsProgress): string {
  const [name, progress] = Object.entries(resources).find(([, { status }]) => status === 'running') ?? []
  if (name === undefined || progress === undefined) return ''
  const { listed, expected, ms, throttled } = progress
  const rate = (listed / Math.max(ms, 1)) * 1_000
  const share = expected ? ` of ${count(expected)} (${Math.floor((listed / expected) * 100)}%)` : ''
  const left = expected && rate > 0 ? (Math.max(0, expected - listed) / rate) * 1_000 : undefined
  const parts = [
    name,
    `${count(listed)}${share}`,
    `${count(Math.round(rate))}/s`,
    ...(left === undefined ? [] : [`${formatDuration(left)} left`]),
    ...(throttled > 0 ? [waits(throttled)] : []),
  ]
  return parts.join('  ')
}

/** The result for each resource, as a table. */
export function sweepLines({ resources }: SweepsProgress, pen: Pen): string[] {
  const { dim } = pen.colors
  const head = ['resource', '', 'in Clerk', 'written', 'unchanged', 'kept', 'failed', 'deleted', 'time', '']
  const rows = Object.entries(resources).map(([name, progress]) => rowOf(name, progress, pen))
  return layOut([head.map((text) => ({ text, style: dim })), ...rows], pen.width)
}

function rowOf(name: string, progress: Readonly<SweepProgress>, pen: Pen): Cell[] {
  const { status, expected, listed, written, unchanged, skipped, failed, deleted, ms } = progress
  const seen =
    expected === null || expected === listed ? count(listed) : `${count(listed)} of ${count(expected)}`
  const numbers = [seen, ...[written, unchanged, skipped, failed, deleted].map(count)]
  const remarks = [
    ...(progress.throttled > 0
      ? [`${waits(progress.throttled)}, ${formatDuration(progress.throttledMs)}`]
      : []),
    ...(progress.error ? [progress.error.message] : []),
  ]
  return [
    { text: name },
    { text: status, style: styleOf(status, pen) },
    ...numbers.map((text) => ({ text })),
    { text: formatDuration(ms) },
    { text: remarks.join('; ') },
  ]
}

function styleOf(status: SweepProgress['status'], { colors }: Pen) {
  if (status === 'complete') return colors.green
  return status === 'disabled' || status === 'waiting' ? colors.dim : colors.red
}

function waits(throttled: number): string {
  return `${countOf(throttled, 'wait')} for 429`
}

function count(value: number): string {
  return value.toLocaleString('en')
}

const LISTED = [...RESOURCES.values()].filter(({ api }) => api !== undefined).map(({ table }) => table)

/** Any of the resources that Clerk lists. */
export function resourceArgument(): Argument {
  return new Argument('[resources...]', LISTED.join(', ')).argParser(parseResource)
}

function parseResource(text: string, earlier: readonly ResourceName[] | undefined): ResourceName[] {
  const name = text.replaceAll('-', '_').toLowerCase()
  if (LISTED.includes(name)) return [...(earlier ?? []), name as ResourceName]
  const meant = closest(name, LISTED)
  throw new InvalidArgumentError(meant ? `Did you mean ${meant}?` : `Clerk lists: ${LISTED.join(', ')}.`)
}
