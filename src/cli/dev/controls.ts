/** What somebody at the terminal has while `dev` runs: the lines at its bottom, and keys. */

import { spawn } from 'node:child_process'
import { toClerkSyncError } from '../../reply.ts'
import { CommandError, failureLines } from '../failure.ts'
import type { Output } from '../output.ts'
import { Pinned } from '../pinned.ts'
import { printable } from '../text.ts'
import { type FooterState, footerLines } from './footer.ts'
import { listenForKeys, type Press } from './keyboard.ts'

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
      const failure = error instanceof CommandError ? error : toClerkSyncError(error)
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
  const tell = () => output.note(`  Open ${url}`)
  if (BROWSER === 'none') {
    tell()
    return
  }
  const program = BROWSER || OPENERS[process.platform] || 'xdg-open'
  spawn(program, [url], { stdio: 'ignore', detached: true }).once('error', tell).unref()
}
