/** Text from outside, made safe and fitted for a terminal: names and metadata are written by people we do not know. */

import truncated from 'fast-string-truncated-width'
import { wrapAnsi } from 'fast-wrap-ansi'
import { toJson } from '../log.ts'

/** Control characters, among them those that start terminal commands, and what reverses or breaks lines. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

/** The text with everything escaped that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeCharacter)
}

/** As {@link printable}, for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** One word for a shell, whatever is in it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** JSON in one line, safe for a terminal and for a log. */
export function toJsonLine(value: unknown): string {
  return printable(toJson(value))
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The columns that a text takes on a terminal, whatever its colours. */
export function widthOf(text: string): number {
  return truncated(text).width
}

/** The text, cut to a width. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  const { ellipsed, index } = truncated(text, { limit: width, ellipsis: '…' })
  return ellipsed ? `${text.slice(0, index)}…` : text
}

/** Breaks text between words; a word that is longer than a line stays whole. */
export function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text]
  return wrapAnsi(text, Math.max(1, width)).split('\n')
}

/** A line that is too long goes on in further ones, as far from the margin as it begins. */
export function wrapLine(line: string, width: number): string {
  if (widthOf(line) <= width) return line
  const [margin = ''] = /^ */.exec(line) ?? []
  return wrap(line.slice(margin.length), width - margin.length)
    .map((part) => margin + part)
    .join('\n')
}

export interface Cell {
  /** Any text: what a terminal would obey is escaped here. */
  readonly text: string
  /** Colours the cell; must not change its length. */
  readonly style?: ((text: string) => string) | undefined
}

const GAP = '  '
/** A narrower last column is hard to read. */
const MIN_LAST = 20
const HANG = '  '

/**
 * Lays rows out in columns, each as wide as its widest cell. The last column takes what is left of the line, and goes on
 * below. Where the line is too narrow for columns, the cells of a row follow each other. Words and ids stay whole.
 */
export function layOut(
  rows: readonly (readonly Cell[])[],
  lineWidth: number,
  minWidths: readonly number[] = [],
): string[] {
  const shown = rows.map((row) => row.map(({ text, style = String }) => ({ text: printable(text), style })))
  const widths = (shown[0] ?? []).map((_, column) =>
    Math.max(minWidths[column] ?? 0, ...shown.map((row) => widthOf(row[column]?.text ?? ''))),
  )
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0)
  const room = lineWidth - before
  const last = shown.map((row) => row.at(-1)?.text ?? '')
  const isRoomy = last.every((text) => room >= Math.min(widthOf(text), Math.max(MIN_LAST, longestWord(text))))
  return shown.flatMap((row) => (isRoomy ? inColumns(row, widths, room) : following(row, lineWidth)))
}

interface Shown {
  readonly text: string
  readonly style: (text: string) => string
}

function inColumns(row: readonly Shown[], widths: readonly number[], room: number): string[] {
  const cells = row.slice(0, -1).map(({ text, style }, column) => {
    const padding = ' '.repeat((widths[column] as number) - widthOf(text))
    return { plain: text + padding, painted: (text === '' ? '' : style(text)) + padding }
  })
  const { text = '', style = String } = row.at(-1) ?? {}
  const margin = ' '.repeat(cells.reduce((sum, { plain }) => sum + widthOf(plain) + GAP.length, 0))
  const start = cells.map(({ painted }) => painted + GAP).join('')
  return wrap(text, room).map((part, index) =>
    `${index === 0 ? start : margin}${part === '' ? '' : style(part)}`.trimEnd(),
  )
}

function following(row: readonly Shown[], lineWidth: number): string[] {
  const lines: { width: number; text: string }[] = []
  const parts = row.flatMap(({ text, style }) =>
    wrap(text, lineWidth - HANG.length).flatMap((part) =>
      part === '' ? [] : [{ width: widthOf(part), text: style(part) }],
    ),
  )
  for (const { width, text } of parts) {
    const line = lines.at(-1)
    if (line && line.width + GAP.length + width <= lineWidth) {
      line.width += GAP.length + width
      line.text += GAP + text
    } else lines.push({ width: width + (line ? HANG.length : 0), text: (line ? HANG : '') + text })
  }
  return lines.map(({ text }) => text)
}

function longestWord(text: string): number {
  return Math.max(0, ...text.split(' ').map(widthOf))
}

/** What is written with more than ASCII, for terminals that have no more. */
const ASCII: Readonly<Record<string, string>> = {
  '→': '->',
  '←': '<-',
  '…': '...',
  '·': '-',
  '’': "'",
  '“': '"',
  '”': '"',
  '✓': 'OK',
  '✗': 'ERR',
  '─': '-',
  '●': '*',
}
const HAS_ASCII = new RegExp(`[${Object.keys(ASCII).join('')}]`, 'g')

export function toAscii(text: string): string {
  return text.replace(HAS_ASCII, (character) => ASCII[character] as string)
}

/** The time of today, the date of earlier days; local. */
export function formatTime(time: Date, now: Date = new Date()): string {
  const [date, clock] = localParts(time)
  if (date === localParts(now)[0]) return clock.slice(0, 8)
  const isThisYear = time.getFullYear() === now.getFullYear()
  return isThisYear ? `${date.slice(5)} ${clock.slice(0, 5)}` : date
}

/** Date and time, local, with its offset. */
export function formatExactTime(time: Date): string {
  const minutes = -time.getTimezoneOffset()
  const offset = new Date(Math.abs(minutes) * 60_000).toISOString().slice(11, 16)
  return `${localParts(time).join(' ')} ${minutes < 0 ? '-' : '+'}${offset}`
}

/** `2026-11-01` and `09:30:00.000`, local. */
function localParts(time: Date): [date: string, clock: string] {
  const iso = new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString()
  return [iso.slice(0, 10), iso.slice(11, 23)]
}
