/** Why events were not applied, in one table: in a few words, as a sentence, and what to do. */

interface Entry {
  /** For a column of a list. */
  readonly label: string
  readonly summary: string
  readonly remedy: string
}

export const REASONS = {
  older_than_row: {
    label: 'the row is newer',
    summary: 'The event is older than the row, so the row was kept',
    remedy: 'Nothing is wrong: events arrive in any order, and the newest state wins.',
  },
  resource_deleted: {
    label: 'the resource was deleted',
    summary: 'The event is about a resource that is already deleted',
    remedy: 'Nothing is wrong: Clerk never reuses an id, so a deletion is final.',
  },
  erased: {
    label: 'the person was erased',
    summary: 'The event is about an erased user, so it was recorded without its body',
    remedy: 'Nothing is wrong: the rows of an erased user stay empty.',
  },
  resource_disabled: {
    label: 'resource is switched off',
    summary: 'The event is about a resource that is not synced here',
    remedy: 'Add it to the option `resources`, then replay: `clerk-sync events replay --outcome ignored`.',
  },
  timed_out: {
    label: 'the database timed out',
    summary: 'The database timed out on this event, even when it was applied alone',
    remedy:
      'Check for a slow trigger of your own, or a lock that is held for long. Then replay: `clerk-sync events replay --outcome failed`.',
  },
  internal_fault: {
    label: 'internal clerk-sync error',
    summary: 'clerk-sync itself failed on this event',
    remedy:
      '`clerk-sync events show` prints the error. Please report it. After an upgrade, replay: `clerk-sync events replay --outcome failed`.',
  },
  rejected_by_database: {
    label: 'the database rejected it',
    summary: 'The database rejected the rows of the event',
    remedy:
      '`clerk-sync events show` prints the database’s error; the cause is often a trigger or constraint of your own. Fix it, then replay: `clerk-sync events replay --outcome failed`.',
  },
  bad_json: {
    label: 'body is not JSON',
    summary: 'The body has a valid signature, but is not JSON',
    remedy: 'Clerk never sends this. Find out who else has the signing secret, and rotate it.',
  },
  too_deep: {
    label: 'JSON is nested too deeply',
    summary: 'The body’s JSON is nested deeper than 200 levels',
    remedy: 'Clerk never sends this. Find out who else has the signing secret, and rotate it.',
  },
  unrecognised_event: {
    label: 'JSON is not a Clerk event',
    summary: 'The body is JSON, but not a Clerk event: it lacks a type, or data with an id',
    remedy:
      'Inspect it with `clerk-sync events show`. An endpoint of another service that uses Svix may point here.',
  },
  unknown_type: {
    label: 'unknown event type',
    summary: 'This version does not know the type of the event',
    remedy:
      'Upgrade clerk-sync, then replay: `clerk-sync events replay --outcome parked`. The event is kept until then.',
  },
  instance_mismatch: {
    label: 'from another Clerk instance',
    summary: 'The event is from a Clerk instance that is not configured',
    remedy:
      'Correct CLERK_INSTANCE_ID and replay, or delete the endpoint in the other instance. `Send Example` in Clerk’s dashboard uses a made-up instance id.',
  },
} as const satisfies Record<string, Entry>

/** Why an event was not applied. */
export type Reason = keyof typeof REASONS
