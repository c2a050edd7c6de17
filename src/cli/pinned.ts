/**
 * Lines that stay at the bottom of a terminal while others are printed above them. What is printed scrolls away as usual,
 * so that it can be searched and copied later: no alternate screen, no cursor that is moved elsewhere.
 */

import { stripVTControlCharacters } from 'node:util'
import { cut } from './text.ts'

export class Pinned {
  readonly #stream: NodeJS.WriteStream
  #shown = ''

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** Replaces the lines; none removes them. */
  show(lines: readonly string[]): void {
    const text = lines.join('\n')
    if (text !== this.#shown) this.#stream.write(this.#erasure + text)
    this.#shown = text
  }

  /** What to write so that the text stands above the lines. */
  above(text: string): string {
    return this.#erasure + text + this.#shown
  }

  /** Back to the start of the first line. A terminal that became narrower shows a line as several. */
  get #erasure(): string {
    if (this.#shown === '') return ''
    const columns = this.#stream.columns || Number.POSITIVE_INFINITY
    const rows = this.#shown
      .split('\n')
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(lengthOf(line) / columns)), 0)
    return `\r${rows > 1 ? `\u001b[${rows - 1}A` : ''}\u001b[J`
  }
}

function lengthOf(line: string): number {
  return [...stripVTControlCharacters(line)].length
}

/** A line of two parts, one at each end of the width; the left one gives way. */
export function spread(left: string, right: string, width: number): string {
  const room = width - right.length
  if (room < 2) return cut(left, width)
  return `${cut(left, room - 1).padEnd(room)}${right}`
}
