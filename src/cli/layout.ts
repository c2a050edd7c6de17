/** Columns of text. */

import type { Receipt, TriedRun } from '../index.ts'
import type { Pen } from './output.ts'
import { cut, printable } from './text.ts'

export interface Cell {
  /** Any text: what a terminal would obey is escaped here. */
  readonly text: string
  /** Colours the cell; must not change its length. */
  readonly style?: ((text: string) => string) | undefined
}

const GAP = '  '

/**
 * Lays rows out in columns, each as wide as its widest cell. The last column takes what is left of the line, and is cut
 * there.
 */
export function layOut(
  rows: readonly (readonly Cell[])[],
  lineWidth: number,
  minWidths: readonly number[] = [],
): string[] {
  const shown = rows.map((row) => row.map(({ text, style }) => ({ text: printable(text), style })))
  const widths = (shown[0] ?? []).map((_, column) =>
    Math.max(minWidths[column] ?? 0, ...shown.map((row) => lengthOf(row[column]?.text ?? ''))),
  )
  return shown.map((row) => layOutRow(row, widths, lineWidth))
}

function layOutRow(row: readonly Cell[], widths: readonly number[], lineWidth: number): string {
  let room = lineWidth
  const cells = row.map(({ text, style = String }, column) => {
    const shown = cut(text, room)
    const width = Math.min(widths[column] as number, Math.max(0, room))
    room -= width + GAP.length
    const isLast = column === row.length - 1
    const padding = isLast ? '' : ' '.repeat(Math.max(0, width - lengthOf(shown)))
    return (shown === '' ? '' : style(shown)) + padding
  })
  return cells.join(GAP).trimEnd()
}

function lengthOf(text: string): number {
  return [...text].length
}

/** What a line has room for: everything, no ids that can be done without, or the gist. */
export type Room = 'wide' | 'medium' | 'narrow'

export function roomOf(width: number): Room {
  if (width > 100) return 'wide'
  return width >= 60 ? 'medium' : 'narrow'
}

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
