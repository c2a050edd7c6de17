/** What a command that goes on tells while it starts: a line for each thing that is ready. */

import { inspect } from 'node:util'
import { formatDuration } from '../duration.ts'
import type { Logger } from '../log.ts'
import { DEFAULT_PORT } from '../server/defaults.ts'
import { WEBHOOK_PATHS } from '../server/server.ts'
import { usageError } from './failure.ts'
import type { Output } from './output.ts'

/** `✓ Database  embedded Postgres in .clerk-sync` */
export function step(output: Output, name: string, text: string, mark?: string): void {
  const { green, bold } = output.stderr.colors
  output.note(`  ${mark ?? green('✓')} ${bold(name.padEnd(9))} ${text}`)
}

/** More about the step before. */
export function detail(output: Output, text: string): void {
  output.note(`    ${''.padEnd(9)} ${text}`)
}

/** @param ran the migrations that were run just now */
export function schemaStep(output: Output, schema: string, ran: readonly string[]): void {
  step(output, 'Schema', ran.length > 0 ? `${schema}, migrated: ${ran.join(', ')}` : `${schema}, up to date`)
}

/** `http://localhost:4848`, also for every other address that means this machine: a browser cannot open 0.0.0.0. */
export function originOf(host: string, port: number): string {
  const isLocal = isLoopback(host) || host === '0.0.0.0' || host === '::'
  const name = isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

/** Whether nobody but this machine reaches it. */
export function isLoopback(host: string): boolean {
  return ['127.0.0.1', '::1', 'localhost'].includes(host)
}

interface Tally {
  /** How many deliveries had each outcome. */
  readonly outcomes: ReadonlyMap<string, number>
  /** How many requests were answered with each status. */
  readonly answers: ReadonlyMap<number, number>
}

/** `38 in · 33 applied · 2 duplicate · 1 rejected · 4m 2s` */
export function printSummary({ startedAt, ...tally }: Tally & { startedAt: number }, output: Output): void {
  const elapsedMs = performance.now() - startedAt
  const { total, counts } = countsOf(tally)
  if (output.json || !output.stdout.isTerminal) {
    const ms = Math.round(elapsedMs)
    output.stdout.record({ type: 'summary', time: new Date(), total, ...counts, ms })
  }
  output.note(`  ${[...countWords(tally), formatDuration(elapsedMs)].join(' · ')}`)
}

/** `38 in`, `33 applied` …, without what did not happen. */
export function countWords(tally: Tally): string[] {
  const { total, counts } = countsOf(tally)
  const happened = Object.entries(counts).filter(([, count]) => count > 0)
  return [`${total} in`, ...happened.map(([name, count]) => `${count} ${name}`)]
}

function countsOf({ outcomes, answers }: Tally) {
  const counts: Record<string, number> = {
    ...Object.fromEntries(outcomes),
    rejected: sumOf(answers, (status) => status >= 400 && status < 500),
    refused: sumOf(answers, (status) => status >= 500),
  }
  // A client that disconnects does not get the result of its delivery; the delivery still counts.
  return { total: Object.values(counts).reduce((sum, count) => sum + count, 0), counts }
}

function sumOf(answers: ReadonlyMap<number, number>, isMeant: (status: number) => boolean): number {
  return [...answers].reduce((sum, [status, count]) => (isMeant(status) ? sum + count : sum), 0)
}

/**
 * Logs them, where Node would end the process: deliveries and other handlers must not suffer from one handler's mistake.
 * Exceptions that nobody catches still end it, because they may have left anything half done.
 */
export function logStrayRejections(log: Logger): void {
  process.on('unhandledRejection', (reason) =>
    log.error(
      { cause: inspect(reason) },
      'Unhandled promise rejection. A handler did not await a promise that it started, so the event counts as handled although the promise failed. Await every promise.',
    ),
  )
}

/** Where `clerk-sync start` listens in this folder. */
export function defaultUrl(): URL {
  const address = `http://localhost:${process.env.PORT || DEFAULT_PORT}${WEBHOOK_PATHS[0]}`
  if (URL.canParse(address)) return new URL(address)
  throw usageError(
    'PORT is no number from 0 to 65535.',
    'Set it to the port that clerk-sync start listens on.',
  )
}
