/** What somebody at the terminal has while `dev` runs: the lines at its bottom, and keys. */

import { spawn } from 'node:child_process'
import { emitKeypressEvents, type Key } from 'node:readline'
import { ProblemError } from '../../explanations/problems.ts'
import { toClerkSyncError } from '../../reply.ts'
import { NARROW } from '../entry.ts'
import { failureLines } from '../failure.ts'
import type { Output, Pen } from '../output.ts'
import { cut, printable, widthOf } from '../text.ts'

/** What keys do. Absent what does not go with this run. */
export interface Actions {
  readonly send: () => Promise<void> | void
  readonly retry: () => Promise<void>
  readonly open: string
  readonly setFilter: (text: string) => void
  readonly togglePause: (() => void) | undefined
  readonly toggleTunnel: (() => Promise<void>) | undefined
  readonly quit: () => void
  readonly interrupt: () => void
}

/** What changes by itself. */
export type Watched = Pick<FooterState, 'counts' | 'p95' | 'activity' | 'trouble'>

interface Binding {
  readonly key: string
  readonly label: string
  readonly help: string
  readonly act: () => Promise<void> | void
}

const REFRESH_MS = 250
const PAUSE = { key: 'p', label: '[p]ause', help: 'pause or resume the simulated traffic' }
const TUNNEL = { key: 't', label: '[t]unnel', help: 'open or close a tunnel for real events' }

export class Controls {
  readonly #output: Output
  readonly #watch: () => Watched
  readonly #actions: Actions
  readonly #bindings: readonly Binding[]
  readonly #pinned: Pinned
  readonly #giveBack: () => void
  readonly #timer: NodeJS.Timeout
  #isStopped = false
  /** What is typed as a filter; undefined if nothing is. */
  #typed: string | undefined

  constructor(output: Output, watch: () => Watched, actions: Actions) {
    this.#output = output
    this.#watch = watch
    this.#actions = actions
    this.#bindings = this.#bind()
    this.#pinned = new Pinned(process.stderr, process.stdout)
    this.#giveBack = listenForKeys((press) => this.#onPress(press))
    this.#timer = setInterval(() => this.#draw(), REFRESH_MS).unref()
    process.stderr.on('resize', this.#draw)
    this.#draw()
  }

  /** Gives the terminal back; what was printed stays. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    clearInterval(this.#timer)
    process.stderr.off('resize', this.#draw)
    this.#giveBack()
    this.#pinned.stop()
  }

  readonly #draw = (): void => {
    const prompt =
      this.#typed === undefined
        ? undefined
        : `Only lines with: ${printable(this.#typed)}_   (Enter, or Esc for all)`
    const keys = this.#bindings.map(({ label }) => label)
    this.#pinned.show(footerLines({ ...this.#watch(), prompt, keys }, this.#output.stderr))
  }

  #bind(): Binding[] {
    const { send, retry, open, togglePause, toggleTunnel, quit } = this.#actions
    return [
      { key: 's', label: '[s]end event', help: 'send an event: a user signs up', act: send },
      {
        key: 'r',
        label: '[r]etry failed',
        help: 'retry failed handlers and replay failed events',
        act: retry,
      },
      { key: 'o', label: '[o]pen', help: 'open the dashboard', act: () => openInBrowser(open, this.#output) },
      { key: 'f', label: '[f]ilter', help: 'show only lines that contain a text', act: () => this.#type('') },
      ...(togglePause ? [{ ...PAUSE, act: togglePause }] : []),
      ...(toggleTunnel ? [{ ...TUNNEL, act: toggleTunnel }] : []),
      { key: 'c', label: '[c]lear', help: 'clear the screen', act: () => this.#pinned.clear() },
      { key: '?', label: '[?]', help: 'show this', act: () => this.#explain() },
      { key: 'q', label: '[q]uit', help: 'quit', act: quit },
    ]
  }

  #onPress(press: Press): void {
    if (press.name === 'ctrl+c') this.#actions.interrupt()
    else if (this.#typed === undefined) this.#act(press)
    else this.#edit(press, this.#typed)
    if (!this.#isStopped) this.#draw()
  }

  #act({ text }: Press): void {
    const binding = this.#bindings.find(({ key }) => key === text)
    if (binding === undefined) return
    void this.#try(binding)
  }

  async #try({ act }: Binding): Promise<void> {
    try {
      await act()
    } catch (error) {
      const failure = error instanceof ProblemError ? error : toClerkSyncError(error)
      for (const line of failureLines(failure, this.#output.stderr)) this.#output.note(line)
    }
  }

  #edit({ text, name }: Press, typed: string): void {
    if (name === 'escape') this.#apply('')
    else if (name === 'return' || name === 'enter') this.#apply(typed)
    else if (name === 'backspace') this.#type([...typed].slice(0, -1).join(''))
    else if (text !== undefined) this.#type(typed + text)
  }

  #type(text: string): void {
    this.#typed = text
  }

  #apply(filter: string): void {
    this.#typed = undefined
    this.#actions.setFilter(filter)
    this.#output.note(
      filter === '' ? '  Every line is shown.' : `  Only lines with "${printable(filter)}" are shown.`,
    )
  }

  #explain(): void {
    for (const { key, help } of this.#bindings) this.#output.note(`  ${key}   ${help}`)
  }
}

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer' }

/** With the program of BROWSER, which is also how to say that there is none. */
function openInBrowser(url: string, output: Output): void {
  const { BROWSER } = process.env
  const printUrl = () => output.note(`  Open ${url}`)
  if (BROWSER === 'none') {
    printUrl()
    return
  }
  const program = BROWSER || OPENERS[process.platform] || 'xdg-open'
  spawn(program, [url], { stdio: 'ignore', detached: true }).once('error', printUrl).unref()
}

interface FooterState {
  /** `38 in`, `33 applied` … */
  readonly counts: readonly string[]
  /** Milliseconds. */
  readonly p95: number | undefined
  /** `live`, `paused` … */
  readonly activity: string
  /** What is wrong with the app that deliveries are forwarded to; undefined if nothing is. */
  readonly trouble: string | undefined
  /** In place of the keys, while something is typed. */
  readonly prompt: string | undefined
  /** `[s]end event` … */
  readonly keys: readonly string[]
}

export function footerLines(
  { counts, p95, activity, trouble, prompt, keys }: FooterState,
  pen: Pen,
): string[] {
  const { dim } = pen.colors
  // A line as wide as the terminal would leave the cursor where terminals differ.
  const width = pen.width - 1
  const isNarrow = pen.width < NARROW
  const pace = p95 === undefined || isNarrow ? '' : `p95 ${p95}ms   `
  const wellbeing = isNarrow ? '' : `● ${activity}`
  const state = trouble === undefined ? wellbeing : `✗ ${trouble}${isNarrow ? '' : `, ${activity}`}`
  const lines = [
    dim('─'.repeat(width)),
    spread(counts, `${pace}${state}`, width),
    prompt === undefined
      ? dim(`  ${isNarrow ? '[?] [q]uit' : fitting(keys.slice(0, -2), '[?]  [q]uit', '  ', width - 2)}`)
      : cut(`  ${prompt}`, width),
  ]
  return lines.map((line) => pen.legible(line))
}

/** A line of two parts, one at each end of the width; of the left one goes what has no room. */
function spread(counts: readonly string[], right: string, width: number): string {
  const left = `  ${fitting(counts, '', ' · ', width - right.length - 3)}`
  return `${left}${right.padStart(width - left.length)}`
}

/** As many of the parts as there is room for, and the last one. */
function fitting(parts: readonly string[], last: string, separator: string, width: number): string {
  const line = [...parts, last].filter(Boolean).join(separator)
  return line.length <= width || parts.length === 0
    ? line
    : fitting(parts.slice(0, -1), last, separator, width)
}

interface Press {
  /** What was typed, if it is a character. */
  readonly text: string | undefined
  /** `return`, `escape`, `backspace`, or a letter with `ctrl+` before it. */
  readonly name: string
}

/** @returns what gives the terminal back: to its own echo, and to its own Ctrl-C */
function listenForKeys(onPress: (press: Press) => void): () => void {
  const { stdin } = process
  const listener = (text: string | undefined, key: Key) => onPress(toPress(text, key))
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdin.on('keypress', listener).resume()
  return () => {
    stdin.off('keypress', listener).pause()
    stdin.setRawMode(false)
  }
}

function toPress(text: string | undefined, { name, ctrl, meta, sequence }: Key): Press {
  if (ctrl) return { text: undefined, name: `ctrl+${name}` }
  const isCharacter = text !== undefined && !meta && !/\p{Cc}/u.test(text)
  return { text: isCharacter ? text : undefined, name: name ?? sequence ?? '' }
}

type Write = NodeJS.WriteStream['write']

/** Erases the screen and goes to its first line; what has scrolled away stays. */
const CLEAR = '\u001b[2J\u001b[H'

class Pinned {
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
