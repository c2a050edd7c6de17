/**
 * What a command prints: data to stdout, everything for people to stderr. Both know their colours, their width and
 * whether they show more than ASCII.
 */

import pc from 'picocolors'
import type { GlobalOptions } from './options.ts'
import { type Cell, layOut, toAscii, toJsonLine, wrapLine } from './text.ts'

type Colors = ReturnType<typeof pc.createColors>

/** One of the two streams. */
export class Pen {
  readonly isTerminal: boolean
  readonly isUnicode: boolean
  readonly colors: Colors
  readonly #stream: NodeJS.WriteStream

  constructor(stream: NodeJS.WriteStream, mayColor: boolean) {
    const { env } = process
    this.#stream = stream
    this.isTerminal = stream.isTTY === true
    this.isUnicode = env.TERM !== 'dumb' && isUtf8(env.LC_ALL || env.LC_CTYPE || env.LANG)
    this.colors = pc.createColors(mayColor && hasColors(this.isTerminal))
  }

  /** Columns, which change with the window; unlimited where nobody looks. */
  get width(): number {
    return this.#stream.columns || Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY
  }

  /** A line for people: in ASCII where the terminal has no more, and broken between words where it is narrower. */
  line(text = ''): void {
    for (const line of this.legible(text).split('\n')) this.#stream.write(`${wrapLine(line, this.width)}\n`)
  }

  /** A line for people each. */
  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text)
  }

  /** The text in the characters that the terminal has. */
  legible(text: string): string {
    return this.isUnicode ? text : toAscii(text)
  }

  /** A line for programs: JSON. */
  record(value: object): void {
    this.exact(`${toJsonLine(value)}\n`)
  }

  /** Exactly this. */
  exact(data: string | Uint8Array): void {
    this.#stream.write(data)
  }

  /** Replaces what the line holds, without ending it. */
  status(text: string): void {
    this.#stream.write(`\r\u001b[K${text}`)
  }
}

export class Output {
  /** Whether data is JSON, one object a line. */
  readonly json: boolean
  readonly stdout: Pen
  readonly stderr: Pen
  readonly #isSilent: boolean

  constructor({ json = false, quiet = false, color = true }: GlobalOptions) {
    this.json = json
    this.#isSilent = quiet || json
    this.stdout = new Pen(process.stdout, color)
    this.stderr = new Pen(process.stderr, color)
  }

  /** What a command found: a record for programs, lines for people. */
  print(record: object, toLines: (pen: Pen) => readonly string[]): void {
    if (this.json) this.stdout.record(record)
    else this.stdout.lines(toLines(this.stdout))
  }

  /** A list: a record of each item for programs, a row of each for people. */
  list<Item extends object>(
    items: readonly Item[],
    toCells: (item: Item, pen: Pen) => readonly Cell[],
    toRecord: (item: Item) => object = (item) => item,
  ): void {
    const rows = () => items.map((item) => toCells(item, this.stdout))
    if (this.json) for (const item of items) this.stdout.record(toRecord(item))
    else this.stdout.lines(layOut(rows(), this.stdout.width))
  }

  /** A line for people who watch. None with `--quiet` or `--json`. */
  note(text = ''): void {
    if (!this.#isSilent) this.stderr.line(text)
  }

  /** How far something is, in a line that is replaced by the next, on a terminal only; empty removes it. */
  progress(text: string): void {
    if (!this.#isSilent && this.stderr.isTerminal) this.stderr.status(text)
  }

  /** Whether somebody watches and can press keys, on a terminal that can do more than print. */
  get isInteractive(): boolean {
    return this.canAsk && this.stdout.isTerminal && process.env.TERM !== 'dumb'
  }

  /** Whether somebody is there to answer a question. */
  get canAsk(): boolean {
    return !this.#isSilent && this.stderr.isTerminal && process.stdin.isTTY === true
  }
}

/** https://no-color.org, https://force-color.org */
function hasColors(isTerminal: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR) return false
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return isTerminal && TERM !== 'dumb'
}

/** Unset says nothing, as in containers; their terminals show UTF-8. */
function isUtf8(locale: string | undefined): boolean {
  return !locale || /utf-?8/i.test(locale)
}
