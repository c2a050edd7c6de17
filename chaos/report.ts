/** What a run found, for people and for programs. */

import type { Violation, ViolationKind } from './check.ts'
import type { Harm, HarmResult } from './harm.ts'
import type { Options } from './options.ts'

export interface Result extends HarmResult {
  readonly options: Options
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
  readonly logs: string
}

export const VIOLATION_KINDS: readonly ViolationKind[] = [
  'lost',
  'doubled',
  'misordered',
  'stuck',
  'wrong',
  'ended',
]
const MAX_SHOWN = 20

export function describeHarm(harm: Harm): string {
  const cells = [
    harm.name.padEnd(36),
    seconds(harm.seconds),
    seconds(harm.unavailableSeconds),
    // Where everything was done at once, nothing was left to accept.
    seconds(harm.acceptedAfterSeconds, harm.caughtUpAfterSeconds === null ? 'never' : '–'),
    seconds(harm.caughtUpAfterSeconds),
  ]
  return [cells.join(' '), harm.left, harm.error].filter((part) => part !== undefined).join('  ')
}

export const HARM_HEADER = `${'nemesis'.padEnd(36)} ${['lasted', 'outage', 'accepts', 'done'].map((title) => title.padStart(8)).join(' ')}`

function seconds(value: number | null, none = 'never'): string {
  return (value === null ? none : `${value.toFixed(1)} s`).padStart(8)
}

export function describeResult({ harms, skipped, counts, violations, options, logs }: Result): string {
  const shown = violations.slice(0, MAX_SHOWN)
  const worst = [...harms].sort((a, b) => b.unavailableSeconds - a.unavailableSeconds)[0]
  return [
    '',
    'outage: the longest without an accepted delivery · accepts, done: after the harm, until the first was accepted,',
    'and until everything sent before was accepted and handled',
    '',
    ...skipped.map(({ name, reason }) => `skipped ${name}: ${reason}`),
    ...Object.entries(counts).map(([name, count]) => `${name.padEnd(28)} ${String(count).padStart(8)}`),
    worst ? `worst outage: ${worst.unavailableSeconds.toFixed(1)} s (${worst.name})` : 'no harm was done',
    '',
    VIOLATION_KINDS.map((kind) => `${kind} ${countKind(violations, kind)}`).join(' · '),
    ...shown.map(({ kind, subject, detail }) => `  ${kind}: ${subject}: ${detail}`),
    ...(violations.length > MAX_SHOWN
      ? [`  and ${violations.length - MAX_SHOWN} more (--json has all)`]
      : []),
    ...(violations.length > 0 ? [`seed ${options.seed}; the logs of the processes: ${logs}`] : []),
  ].join('\n')
}

export function countKind(violations: readonly Violation[], kind: ViolationKind): number {
  return violations.filter((each) => each.kind === kind).length
}
