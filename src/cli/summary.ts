/** What a server that ends tells: how much came, and what became of it. */

import type { Output } from './output.ts'
import { formatDuration } from './times.ts'

export interface Tally {
  /** How many deliveries had each outcome. */
  readonly outcomes: ReadonlyMap<string, number>
  /** How many requests were answered with each status. */
  readonly answers: ReadonlyMap<number, number>
}

/** `38 in · 33 applied · 2 duplicate · 1 rejected · 4m 2s` */
export function tellSummary({ startedAt, ...tally }: Tally & { startedAt: number }, output: Output): void {
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
  // Who hangs up does not learn what became of his delivery; it counts all the same.
  return { total: Object.values(counts).reduce((sum, count) => sum + count, 0), counts }
}

function sumOf(answers: ReadonlyMap<number, number>, isMeant: (status: number) => boolean): number {
  return [...answers].reduce((sum, [status, count]) => (isMeant(status) ? sum + count : sum), 0)
}
