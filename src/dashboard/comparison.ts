/** Our row beside Clerk's, field by field. Pure. */

import { isDeepStrictEqual } from 'node:util'
import type { ShownResource } from '../backfill/view.ts'
import { maskJson } from '../inspect/masking.ts'
import type { ComparedField, Comparison } from './api.ts'

/** The row as it is stored; null if there is none. */
export interface StoredState {
  /** Clerk's JSON as it was received. */
  readonly raw: string | null
  readonly isDeleted: boolean
  /** The outcome of its latest event: the most likely cause of a difference. */
  readonly lastOutcome: string | null
}

export function compare(stored: StoredState | null, shown: ShownResource, isMasked: boolean): Comparison {
  const here = stored?.raw && !stored.isDeleted ? (JSON.parse(stored.raw) as Record<string, unknown>) : null
  const clerk = shown.data as Record<string, unknown> | null
  const fields = here && clerk ? compareFields(here, clerk, shown.isPartial) : []
  const result = resultOf(here, clerk, fields)
  return {
    at: shown.observedAt.toISOString(),
    result,
    fields: isMasked ? fields.map(maskField) : fields,
    isMasked,
    cause: result === 'same' || result === 'deleted' ? null : causeOf(stored, result),
    problem: null,
  }
}

function resultOf(
  here: object | null,
  clerk: object | null,
  fields: readonly ComparedField[],
): Comparison['result'] {
  if (here === null) return clerk === null ? 'deleted' : 'missing_here'
  if (clerk === null) return 'missing_in_clerk'
  return fields.every(({ isEqual }) => isEqual) ? 'same' : 'different'
}

/** What a partial answer leaves out is not known to differ. */
function compareFields(
  here: Record<string, unknown>,
  clerk: Record<string, unknown>,
  isPartial: boolean,
): ComparedField[] {
  const names = new Set([...Object.keys(here), ...Object.keys(clerk)])
  return [...names]
    .filter((name) => !isPartial || (Object.hasOwn(here, name) && Object.hasOwn(clerk, name)))
    .map((field) => ({
      field,
      here: here[field] ?? null,
      clerk: clerk[field] ?? null,
      isEqual: isDeepStrictEqual(here[field], clerk[field]),
    }))
    .sort((a, b) => Number(a.isEqual) - Number(b.isEqual))
}

function maskField({ field, here, clerk, isEqual }: ComparedField): ComparedField {
  return { field, here: maskJson(here, field), clerk: maskJson(clerk, field), isEqual }
}

function causeOf(stored: StoredState | null, result: Comparison['result']): string {
  if (stored?.isDeleted) return 'An event said that it was deleted, but Clerk shows it.'
  switch (stored?.lastOutcome) {
    case 'failed':
      return 'The database refused its latest event; replay it after the fix.'
    case 'parked':
    case 'ignored':
      return 'Its latest event was recorded but not applied.'
  }
  return result === 'missing_in_clerk'
    ? 'No event arrived for its deletion.'
    : 'No event arrived for the change: it was not sent, not delivered or rejected, or Clerk sends none for these fields.'
}
