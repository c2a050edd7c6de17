/** Why events were not applied, in words. */

import type { Reason } from '../database/tables.ts'

export type ReasonCode = Reason

export const REASONS: Readonly<Record<Reason, string>> = {
  older_than_row: 'the row is newer',
  resource_deleted: 'the resource was deleted',
  erased: 'the person was erased',
  resource_disabled: 'resource is switched off',
  rejected_by_database: 'the database rejected it',
  timed_out: 'the database timed out',
  internal_fault: 'internal clerk-sync error',
  bad_json: 'body is not JSON',
  too_deep: 'JSON is nested too deeply',
  unrecognised_event: 'JSON is not a Clerk event',
  unknown_type: 'unknown event type',
  instance_mismatch: 'from another Clerk instance',
}

export function toReason(code: Reason | null): { readonly code: string; readonly text: string } | null {
  return code && { code, text: REASONS[code] ?? code }
}
