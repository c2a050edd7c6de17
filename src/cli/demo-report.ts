/** What the demo shows: its steps as they happen, then the proof. */

import { formatDuration } from '../duration.ts'
import type { BackfillResult, Receipt, ReconcileResult, SweepProgress } from '../index.ts'
import type { OutageResult } from '../simulation/demo.ts'
import type { DeliveryTotals, SimulatedClerk, TableComparison } from '../testing/index.ts'
import type { Output } from './output.ts'
import { layOut } from './text.ts'

const BAR_WIDTH = 30

type Outcomes = ReadonlyMap<Receipt['outcome'], number>

export class DemoReport {
  readonly #output: Output
  readonly #startedAt = performance.now()
  readonly #steps: Record<string, object> = {}
  #number = 0
  #stepMs = 0
  #forgeriesRefused = 0
  #isComplete = true

  constructor(output: Output) {
    this.#output = output
  }

  begin(seed: number, kind: 'embedded' | 'postgres'): void {
    const { bold } = this.#output.stderr.colors
    const database = kind === 'embedded' ? 'embedded Postgres' : 'Postgres'
    this.#output.note(
      `${bold('clerk-sync demo')} · seed ${seed} · ${database} · simulated Clerk (no network)\n`,
    )
    if (kind === 'embedded') this.#output.progress('  1  Start      creating the database, some seconds …')
  }

  /** Measures a step. */
  async timed<Result>(work: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now()
    const result = await work()
    this.#stepMs = performance.now() - startedAt
    this.#output.progress('')
    return result
  }

  progress(delivered: number, messages: number): void {
    const filled = Math.round((delivered / Math.max(messages, 1)) * BAR_WIDTH)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
    this.#output.progress(`  ${this.#number + 1}  ${bar}  ${delivered}/${messages}`)
  }

  started(tables: number, url: string): void {
    this.#step('Start', `${tables} tables · receiver ${url}`)
  }

  backfill({ status, resources }: BackfillResult): void {
    const sweeps = Object.values(resources)
    const [written, requests] = [sumOf(sweeps, 'written'), sumOf(sweeps, 'requests')]
    this.#step('Backfill', `${written} rows of before, in ${requests} requests to the simulated Backend API`)
    this.#isComplete &&= status === 'complete'
  }

  /** Counts and copies of others, of which Clerk sends no events, are as old as the last event. */
  reconcile({ status, drift }: ReconcileResult): void {
    const what = drift.total === 0 ? 'no differences' : `${drift.total} rows DIFFERED`
    this.#step('Reconcile', `${what}; ${drift.refreshed} counts and copies brought up to date`)
    this.#isComplete &&= status === 'complete' && drift.total === 0
  }

  backlog(totals: DeliveryTotals, clerk: SimulatedClerk): void {
    const count = (table: Parameters<SimulatedClerk['resources']>[0]) => clerk.resources(table).size
    const people = `${count('users')} users, ${count('organizations')} organizations`
    this.#step('Backlog', `${totals.messages} events → simulated Clerk has ${people}`, totals)
  }

  live(totals: DeliveryTotals): void {
    const { messages, duplicates, reordered, forgeries } = totals
    const habits = `${duplicates} delivered twice, ${reordered} out of order, ${forgeries} forged`
    this.#step('Live', `${messages} events: ${habits}`, totals)
  }

  outage({ lastedMs, refused, ...totals }: OutageResult): void {
    const what = `database gone for ${formatDuration(lastedMs)} while ${totals.messages} events arrived`
    const end = totals.accepted === totals.messages ? 'all redelivered, 0 lost' : `${totals.exhausted} LOST`
    this.#step('Outage', `${what}: ${refused} answered 503, ${end}`, totals)
  }

  /** Shows the proof and says whether it holds. */
  verdict(comparisons: readonly TableComparison[], outcomes: Outcomes): boolean {
    const rows = comparisons.reduce((sum, { expected }) => sum + expected, 0)
    this.#step(
      'Verify',
      `${rows} rows of ${comparisons.length} tables, every column, against simulated Clerk`,
    )
    const isIdentical = comparisons.every(({ differenceCount }) => differenceCount === 0)
    const passes = isIdentical && this.#isComplete && !outcomes.has('failed') && !outcomes.has('parked')
    if (this.#output.json) this.#record(comparisons, outcomes, passes)
    else this.#print(comparisons, outcomes, passes)
    return passes
  }

  #step(name: string, text: string, totals?: DeliveryTotals): void {
    const { bold, dim } = this.#output.stderr.colors
    this.#number++
    const ms = Math.round(this.#stepMs)
    this.#steps[name.toLowerCase()] = { ms, ...totals }
    this.#note(totals)
    this.#output.note(`  ${this.#number}  ${bold(name.padEnd(9))}  ${text}  ${dim(formatDuration(ms))}`)
  }

  #note(totals: DeliveryTotals | undefined): void {
    if (!totals) return
    this.#forgeriesRefused += totals.forgeriesRefused
    this.#isComplete &&= totals.accepted === totals.messages && totals.forgeriesRefused === totals.forgeries
  }

  #record(comparisons: readonly TableComparison[], outcomes: Outcomes, passes: boolean): void {
    this.#output.stdout.record({
      type: 'demo',
      pass: passes,
      ms: Math.round(performance.now() - this.#startedAt),
      steps: this.#steps,
      outcomes: Object.fromEntries(outcomes),
      rejected: this.#forgeriesRefused,
      tables: comparisons.map(({ table, expected, actual, differenceCount, differences }) => {
        return { table, expected, actual, differences: differenceCount, first: differences.slice(0, 3) }
      }),
    })
  }

  #print(comparisons: readonly TableComparison[], outcomes: Outcomes, passes: boolean): void {
    const { stdout } = this.#output
    const { bold, green, red, dim } = stdout.colors
    const received = [...outcomes.values()].reduce((sum, count) => sum + count, 0)
    const counts = [...outcomes].map(([outcome, count]) => `${outcome} ${count}`)
    const rejected = `rejected ${this.#forgeriesRefused} (forged)`
    stdout.line(`\n     ${[`received ${received}`, ...counts, rejected].join('   ')}\n`)
    stdout.lines(this.#tableLines(comparisons))
    const elapsed = dim(`(${formatDuration(performance.now() - this.#startedAt)})`)
    stdout.line(
      passes
        ? `\n  ${bold(green('PASS'))}  The database equals Clerk after duplicates, reordering, forgeries and an outage.  ${elapsed}`
        : `\n  ${bold(red('FAIL'))}  The database is not what Clerk has.  ${elapsed}`,
    )
    this.#output.note('\n  Next   clerk-sync start       receive webhooks, here and now')
  }

  #tableLines(comparisons: readonly TableComparison[]): string[] {
    const { stdout } = this.#output
    const { green, red } = stdout.colors
    const rows = comparisons.map(({ table, expected, actual, differenceCount }) => {
      const isIdentical = differenceCount === 0
      const verdict = isIdentical ? '✓ identical' : `✗ ${differenceCount} differences`
      return [
        { text: '   ' },
        { text: table },
        { text: String(actual).padStart(6) },
        { text: isIdentical ? '=' : '≠' },
        { text: String(expected).padEnd(6) },
        { text: verdict, style: isIdentical ? green : red },
      ]
    })
    return layOut(rows, stdout.width)
  }
}

function sumOf(sweeps: readonly Readonly<SweepProgress>[], count: 'written' | 'requests'): number {
  return sweeps.reduce((sum, sweep) => sum + sweep[count], 0)
}
