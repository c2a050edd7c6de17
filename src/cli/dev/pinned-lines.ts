/** Lines that stay at the bottom of a terminal, below everything that is written to it. */

import { widthOf } from '../text.ts'

type Write = NodeJS.WriteStream['write']

/** Erases the screen and goes to its first line; what has scrolled away stays. */
const CLEAR = '\u001b[2J\u001b[H'

export class PinnedLines {
  readonly #terminal: NodeJS.WriteStream
  readonly #write: Write
  readonly #restore: (() => void)[] = []
  #shown = ''

  /** @param streams those that end on the same terminal */
  constructor(...streams: readonly [NodeJS.WriteStream, ...NodeJS.WriteStream[]]) {
    this.#terminal = streams[0]
    this.#write = streams[0].write.bind(streams[0])
    for (const stream of streams) this.#restore.push(this.#takeOver(stream))
  }

  /** Replaces the lines. */
  show(lines: readonly string[]): void {
    const text = lines.join('\n')
    if (text !== this.#shown) this.#write(this.#erasure + text)
    this.#shown = text
  }

  /** Clears the screen, not what has scrolled away. */
  clear(): void {
    this.#write(CLEAR + this.#shown)
  }

  /** Removes the lines and leaves the streams to themselves. */
  stop(): void {
    this.show([])
    for (const restore of this.#restore) restore()
  }

  /** What is written to the stream appears above the lines, once a line of it is complete. */
  #takeOver(stream: NodeJS.WriteStream): () => void {
    const write: Write = stream.write
    let held = ''
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const text = held + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
      const end = text.lastIndexOf('\n') + 1
      held = text.slice(end)
      const done = rest.find((each) => typeof each === 'function') as (() => void) | undefined
      return write.call(stream, this.#erasure + text.slice(0, end) + this.#shown, undefined, done)
    }
    return () => {
      stream.write = write
      if (held !== '') stream.write(`${held}\n`)
    }
  }

  /** Back to the start of the first line. A terminal that became narrower shows a line as several. */
  get #erasure(): string {
    if (this.#shown === '') return ''
    const columns = this.#terminal.columns || Number.POSITIVE_INFINITY
    const rows = this.#shown
      .split('\n')
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)
    return `\r${rows > 1 ? `\u001b[${rows - 1}A` : ''}\u001b[J`
  }
}
