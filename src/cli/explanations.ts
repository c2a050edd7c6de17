/** Every code of errors, findings, problems and outcomes, with its meaning and remedy. */

import type { Reason } from '../database/tables.ts'
import { ERRORS } from '../errors.ts'
import { FINDINGS } from '../webhook/findings.ts'
import { PROBLEMS } from './problems.ts'

export interface Explanation {
  readonly code: string
  /** The table that it is from. */
  readonly kind: 'error' | 'finding' | 'problem' | 'warning' | 'unclear' | 'reason'
  readonly summary: string
  readonly remedy: string
  /** The HTTP status of the webhook route's answer, for an error. */
  readonly status?: number
}

/** Why an event was not applied, and what to do. */
const REASONS: Readonly<Record<Reason, { readonly summary: string; readonly remedy: string }>> = {
  older_than_row: {
    summary: 'The event is older than the row, so the row was kept',
    remedy: 'Nothing is wrong: events arrive in any order, and the newest state wins.',
  },
  resource_deleted: {
    summary: 'The event is about a resource that is already deleted',
    remedy: 'Nothing is wrong: Clerk never reuses an id, so a deletion is final.',
  },
  erased: {
    summary: 'The event is about an erased user, so it was recorded without its body',
    remedy: 'Nothing is wrong: the rows of an erased user stay empty.',
  },
  resource_disabled: {
    summary: 'The event is about a resource that is not synced here',
    remedy: 'Add it to the option `resources`, then replay: `clerk-sync events replay --outcome ignored`.',
  },
  timed_out: {
    summary: 'The database timed out on this event, even when it was applied alone',
    remedy:
      'Check for a slow trigger of your own, or a lock that is held for long. Then replay: `clerk-sync events replay --outcome failed`.',
  },
  internal_fault: {
    summary: 'clerk-sync itself failed on this event',
    remedy:
      '`clerk-sync events show` prints the error. Please report it. After an upgrade, replay: `clerk-sync events replay --outcome failed`.',
  },
  rejected_by_database: {
    summary: 'The database rejected the rows of the event',
    remedy:
      '`clerk-sync events show` prints the database’s error; the cause is often a trigger or constraint of your own. Fix it, then replay: `clerk-sync events replay --outcome failed`.',
  },
  bad_json: {
    summary: 'The body has a valid signature, but is not JSON',
    remedy: 'Clerk never sends this. Find out who else has the signing secret, and rotate it.',
  },
  too_deep: {
    summary: 'The body’s JSON is nested deeper than 200 levels',
    remedy: 'Clerk never sends this. Find out who else has the signing secret, and rotate it.',
  },
  unrecognised_event: {
    summary: 'The body is JSON, but not a Clerk event: it lacks a type, or data with an id',
    remedy:
      'Inspect it with `clerk-sync events show`. An endpoint of another service that uses Svix may point here.',
  },
  unknown_type: {
    summary: 'This version does not know the type of the event',
    remedy:
      'Upgrade clerk-sync, then replay: `clerk-sync events replay --outcome parked`. The event is kept until then.',
  },
  instance_mismatch: {
    summary: 'The event is from a Clerk instance that is not configured',
    remedy:
      'Correct CLERK_INSTANCE_ID and replay, or delete the endpoint in the other instance. `Send Example` in Clerk’s dashboard uses a made-up instance id.',
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
