/** Why events were not applied, in words. */

import type { Reason } from '../database/tables.ts'

export type ReasonCode = Reason

export const REASONS: Readonly<Record<Reason, string>> = {
  older_than_row: 'row is newer, kept',
  resource_deleted: 'was deleted, stays so',
  erased: 'the person was erased',
  resource_disabled: 'resource is switched off',
  rejected_by_database: 'the database refused it',
  timed_out: 'the database took too long',
  internal_fault: 'clerk-sync failed on it',
  bad_json: 'body is not JSON',
  too_deep: 'JSON nests too deep',
  unrecognised_event: 'JSON is no event',
  unknown_type: 'type is not known',
  instance_mismatch: 'of another Clerk instance',
}

export function toReason(code: Reason | null): { readonly code: string; readonly text: string } | null {
  return code && { code, text: REASONS[code] ?? code }
}
