/** How an outcome looks: the word says it, symbol and colour repeat it. */

import type { Reason, Receipt, TriedRun } from '../index.ts'
import type { Cell } from './layout.ts'
import type { Pen } from './output.ts'

/** What becomes of a delivery, of a request that is none, or of a handler's try. */
export type Result = Receipt['outcome'] | 'rejected' | 'refused' | TriedRun['ending']

type Color = 'green' | 'yellow' | 'red' | 'dim'

/** With symbol and its ASCII twin. */
const LOOKS: Readonly<Record<Result, readonly [symbol: string, ascii: string, color: Color]>> = {
  applied: ['✓', 'OK ', 'green'],
  duplicate: ['=', 'DUP', 'dim'],
  stale: ['~', 'OLD', 'dim'],
  ignored: ['-', '-  ', 'dim'],
  parked: ['!', '!  ', 'yellow'],
  failed: ['✗', 'ERR', 'red'],
  // Not signed as it should be: 4xx.
  rejected: ['⊘', 'REJ', 'red'],
  // Could not be taken now; Svix sends it again: 5xx.
  refused: ['✗', 'ERR', 'red'],
  handled: ['└', '+- ', 'green'],
  retrying: ['└', '+- ', 'yellow'],
  dead: ['✗', 'ERR', 'red'],
}

export function outcomeCell(outcome: Result, { colors, isUnicode }: Pen): Cell {
  const [symbol, ascii, color] = LOOKS[outcome]
  return { text: `${isUnicode ? symbol : ascii} ${outcome}`, style: colors[color] }
}

/** Why an event was not applied, in a few words. */
export const REASONS: Readonly<Record<Reason, string>> = {
  older_than_row: 'row is newer, kept',
  resource_deleted: 'was deleted, stays so',
  resource_disabled: 'resource is switched off',
  rejected_by_database: 'the database refused it',
  bad_json: 'body is not JSON',
  too_deep: 'JSON nests too deep',
  unrecognised_event: 'JSON is no event',
  unknown_type: 'type is not known',
  instance_mismatch: 'of another Clerk instance',
}
