/** Text from outside, made safe and fitted for a terminal: names and metadata are written by people we do not know. */

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

/** JSON in one line, safe for a terminal and for a log. */
export function toJsonLine(value: unknown): string {
  return printable(toJson(value))
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The text, cut to a width. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}

/** Breaks text between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines.push(`${lines.pop()} ${word}`)
    else lines.push(word)
  }
  return lines
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
  const [date, clock] = [isoDate(time), isoClock(time)]
  if (date === isoDate(now)) return clock
  const isThisYear = time.getFullYear() === now.getFullYear()
  return isThisYear ? `${date.slice(5)} ${clock.slice(0, 5)}` : date
}

/** Date and time, local, with its offset. */
export function formatExactTime(time: Date): string {
  return `${isoDate(time)} ${isoClock(time)}.${pad(time.getMilliseconds(), 3)} ${offset(time)}`
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)}s`
  const minutes = Math.floor(milliseconds / 60_000)
  return minutes < 60
    ? `${minutes}m ${Math.floor((milliseconds % 60_000) / 1_000)}s`
    : `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

function isoDate(time: Date): string {
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`
}

function isoClock(time: Date): string {
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset()
  const absolute = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(absolute / 60))}:${pad(absolute % 60)}`
}

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, '0')
}
