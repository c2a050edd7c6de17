/** What a check is, and how checks are run: all at once, each within its time. */

import { setTimeout as sleep } from 'node:timers/promises'
import { ClerkSyncError } from '../errors.ts'
import { describeProblem, type Explained, PROBLEMS, type ProblemCode } from '../explanations/problems.ts'
import type { ClerkSync } from '../index.ts'

/** `unclear` where the check cannot know. */
export type Status = 'passed' | 'warning' | 'problem' | 'unclear'

/** One thing that a check found. */
export interface Result {
  readonly status: Status
  /** Names the problem or warning; null if there is none. */
  readonly code: string | null
  readonly message: string
  readonly remedy?: string
  /** How long a round trip to the database takes, in milliseconds. */
  readonly roundTripMs?: number
  /** The repair that `--fix` offers. */
  readonly fix?: Fix
}

export interface Fix {
  /** A sentence without its point. */
  readonly what: string
  readonly apply: (sync: ClerkSync) => Promise<unknown>
}

export const GROUPS = ['configuration', 'database', 'clock', 'clerk', 'project', 'traffic', 'route'] as const

export interface Check {
  readonly group: (typeof GROUPS)[number]
  /** What it looks at, for people. */
  readonly name: string
  /** How many milliseconds it may take. */
  readonly limitMs?: number
  run(): Promise<readonly Result[]>
}

export interface CheckedResult extends Result {
  readonly group: Check['group']
  readonly check: string
}

const LIMIT_MS = 5_000

export function passed(message: string): Result {
  return { status: 'passed', code: null, message }
}

export function found(code: ProblemCode, detail?: string, remedy?: string): Result {
  return { status: PROBLEMS[code].level, ...describeProblem(code, detail, remedy) }
}

/** Of an error that clerk-sync knows; any other one is a check's own defect. */
export function failed(error: unknown): Result {
  if (error instanceof ClerkSyncError) return toResult(error)
  return found('check_failed', error instanceof Error ? error.message : String(error))
}

export function toResult({ code, message, remedy }: Explained, status: Status = 'problem'): Result {
  return { status, code, message, remedy }
}

/** Runs all checks; a check that fails is a problem, and never the end of the others. */
export async function runChecks(checks: readonly Check[]): Promise<CheckedResult[]> {
  const results = await Promise.all(checks.map(runCheck))
  return results.flat()
}

async function runCheck({ group, name, limitMs = LIMIT_MS, run }: Check): Promise<CheckedResult[]> {
  const timer = new AbortController()
  const late = sleep(limitMs, [found('check_timed_out', `${name}, ${limitMs / 1000} seconds`)], {
    signal: timer.signal,
  })
  const results = await Promise.race([run().catch((error) => [failed(error)]), late])
  timer.abort()
  return results.map((result) => ({ group, check: name, ...result }))
}
