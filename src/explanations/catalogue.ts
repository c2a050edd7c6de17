/** Every code of errors, mismatch causes, problems and outcomes, with its meaning and remedy. */

import { ERRORS } from '../errors.ts'
import { MISMATCH_CAUSES } from './mismatch-causes.ts'
import { PROBLEMS } from './problems.ts'
import { REASONS } from './reasons.ts'

export interface Explanation {
  readonly code: string
  /** The table that it is from. */
  readonly kind: 'error' | 'mismatch_cause' | 'problem' | 'warning' | 'unclear' | 'reason'
  readonly summary: string
  readonly remedy: string
  /** The HTTP status of the webhook route's answer, for an error. */
  readonly status?: number
}

interface Entry {
  readonly summary: string
  readonly remedy: string
  readonly status?: number
}

function explain(kind: Explanation['kind'], table: Readonly<Record<string, Entry>>): Explanation[] {
  return Object.entries(table).map(([code, { summary, remedy, status }]) => ({
    code,
    kind,
    summary,
    remedy,
    ...(status !== undefined && { status }),
  }))
}

/** In the order of the tables. */
export const EXPLANATIONS: readonly Explanation[] = [
  ...explain('error', ERRORS),
  ...explain('mismatch_cause', MISMATCH_CAUSES),
  ...explain('problem', PROBLEMS).map((each) => ({ ...each, kind: levelOf(each.code) })),
  ...explain('reason', REASONS),
]

function levelOf(code: string): Explanation['kind'] {
  return PROBLEMS[code as keyof typeof PROBLEMS].level
}
