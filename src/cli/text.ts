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
