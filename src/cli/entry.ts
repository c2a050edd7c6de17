/** How an event looks: in the log of a server, and in a list. */

import type { Receipt, TriedRun } from '../index.ts'
import type { Pen } from './output.ts'
import { type Cell, formatTime, layOut, widthOf } from './text.ts'

/** The result of a delivery, of a refused request, or of a handler run. */
type Result = Receipt['outcome'] | 'rejected' | 'refused' | TriedRun['ending']

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

/** What happened once. */
export interface Entry {
  readonly at: Date
  readonly result: Result
  /** A type, a code or a handler. */
  readonly name: string
  /** Whole, so that they can be copied. */
  readonly ids: readonly string[]
  readonly ms?: number
  /** What changed, or what went wrong. */
  readonly detail: string
}

/** Wide enough for all in one line. */
const WIDE = 160
/** Narrower terminals show only the gist. */
export const NARROW = 60
const WIDTHS = [8, 11]

/** One line for each on a wide terminal; on others the ids are below. */
export function entryLines(
  { at, result, name, ids, ms, detail }: Entry,
  pen: Pen,
  now: Date = new Date(),
): string[] {
  const { width, colors } = pen
  const dim = (text: string): Cell => ({ text, style: colors.dim })
  const start = [dim(formatTime(at, now)), outcomeCell(result, pen), { text: name }]
  if (width < NARROW) return layOut([start], width, WIDTHS)
  const pace = ms === undefined ? [] : [dim(`${ms}ms`.padStart(6))]
  const end = detail === '' ? [] : [dim(detail)]
  if (width >= WIDE) return layOut([[...start, ...ids.map(dim), ...pace, ...end]], width, [...WIDTHS, 30, 32])
  const [first = ''] = layOut([[...start, ...pace, dim('')]], width, [...WIDTHS, 24])
  const isShort = widthOf(first) + 2 + detail.length <= width
  const cells = ids.filter(Boolean).map(dim)
  const below = layOut([isShort ? cells : [...cells, ...end]], width - MARGIN.length)
  return [
    ...layOut([[...start, ...pace, ...(isShort ? end : [])]], width, [...WIDTHS, 24]),
    ...below.map((line) => MARGIN + line),
  ]
}

const MAX_NAMES = 3

/** `first_name, last_name, image_url +2` */
export function listShort(names: readonly string[]): string {
  const more = names.length - MAX_NAMES
  return names.slice(0, MAX_NAMES).join(', ') + (more > 0 ? ` +${more}` : '')
}

const MARGIN = ' '.repeat(10)
