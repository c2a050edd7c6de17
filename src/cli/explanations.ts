/** Every code that people meet, with what it means and what to do: of errors, findings, problems and outcomes. */

import type { Reason } from '../database/tables.ts'
import { ERRORS } from '../errors.ts'
import { FINDINGS } from '../webhook/findings.ts'
import { PROBLEMS } from './problems.ts'

export interface Explanation {
  readonly code: string
  /** Where it is met. */
  readonly kind: 'error' | 'finding' | 'problem' | 'warning' | 'unclear' | 'reason'
  readonly summary: string
  readonly remedy: string
  /** The HTTP status of the webhook route's answer, for an error. */
  readonly status?: number
}

/** Why an event was not applied: what is so, and what can be done. */
const REASONS: Readonly<Record<Reason, { readonly summary: string; readonly remedy: string }>> = {
  older_than_row: {
    summary: 'The event shows an older state than the row, which was kept',
    remedy: 'Nothing is wrong: events arrive in any order, and the newest state wins.',
  },
  resource_deleted: {
    summary: 'The event is about something that was deleted before, and stays deleted',
    remedy: 'Nothing is wrong: Clerk never reuses an id.',
  },
  erased: {
    summary: 'The event is about a person who was erased; it was recorded without its body',
    remedy: 'Nothing is wrong: nothing fills the rows of an erased person again.',
  },
  resource_disabled: {
    summary: 'The event is about a resource that is switched off here',
    remedy: 'Add it to the option `resources`, and replay: `clerk-sync events replay --outcome ignored`.',
  },
  timed_out: {
    summary: 'The database took too long over this event, even alone',
    remedy:
      'Look for a trigger of your own that is slow, or a lock that is held for long. Then replay: `clerk-sync events replay --outcome failed`.',
  },
  internal_fault: {
    summary: 'clerk-sync itself failed on this event',
    remedy:
      '`clerk-sync events show` has the error. Please report it; after an upgrade, replay: `clerk-sync events replay --outcome failed`.',
  },
  rejected_by_database: {
    summary: 'The database refused the rows of the event',
    remedy:
      '`clerk-sync events show` has what it said; often a trigger or constraint of your own. Fix it, and replay: `clerk-sync events replay --outcome failed`.',
  },
  bad_json: {
    summary: 'The body is signed, but it is not JSON',
    remedy: 'Clerk never sends that. Look for who else has the signing secret.',
  },
  too_deep: {
    summary: 'The body’s JSON nests deeper than 200 levels',
    remedy: 'Clerk never sends that. Look for who else has the signing secret.',
  },
  unrecognised_event: {
    summary: 'The body is JSON, but no event: it lacks a type, or data with an id',
    remedy:
      'Look at it with `clerk-sync events show`. An endpoint of another product of Svix may point here.',
  },
  unknown_type: {
    summary: 'The event is of a type that this version does not know',
    remedy:
      'Upgrade clerk-sync, and replay: `clerk-sync events replay --outcome parked`. Until then the event is kept.',
  },
  instance_mismatch: {
    summary: 'The event is of another Clerk instance than the configured ones',
    remedy:
      'Correct CLERK_INSTANCE_ID and replay, or delete the endpoint in the other instance. `Send Example` in Clerk’s dashboard sends events of an invented instance.',
  },
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
  ...explain('finding', FINDINGS),
  ...explain('problem', PROBLEMS).map((each) => ({ ...each, kind: levelOf(each.code) })),
  ...explain('reason', REASONS),
]

function levelOf(code: string): Explanation['kind'] {
  return PROBLEMS[code as keyof typeof PROBLEMS].level
}
