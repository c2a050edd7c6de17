/** How an outcome looks: the word says it, symbol and colour repeat it. */

import type { Receipt, TriedRun } from '../index.ts'
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
  interrupted: ['└', '+- ', 'dim'],
}

export function outcomeCell(outcome: Result, { colors, isUnicode }: Pen): Cell {
  const [symbol, ascii, color] = LOOKS[outcome]
  return { text: `${isUnicode ? symbol : ascii} ${outcome}`, style: colors[color] }
}
