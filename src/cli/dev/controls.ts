/** What somebody at the terminal has while `dev` runs: the lines at its bottom, and keys. */

import { emitKeypressEvents, type Key } from 'node:readline'
import { ProblemError } from '../../explanations/problems.ts'
import { toClerkSyncError } from '../../reply.ts'
import { failureLines } from '../failure.ts'
import type { Output } from '../output.ts'
import { printable } from '../text.ts'
import { type Footer, footerLines } from './footer.ts'
import { PinnedLines } from './pinned-lines.ts'

/** The label has the key in brackets, at its start. */
export type Binding = readonly [label: string, help: string, act: () => Promise<void> | void]

/** What the footer shows that changes by itself. */
export type Watched = Omit<Footer, 'prompt' | 'keys'>

interface Typing {
  text: string
  /** What takes the text. */
  readonly apply: (text: string) => void
}

const REFRESH_MS = 250

export class Controls {
  readonly #output: Output
  readonly #watch: () => Watched
  readonly #bindings: readonly Binding[]
  readonly #pinned = new PinnedLines(process.stderr, process.stdout)
  readonly #giveBack: () => void
  readonly #timer: NodeJS.Timeout
  #isStopped = false
  /** The filter that is being typed. */
  #typing: Typing | undefined

  constructor(output: Output, watch: () => Watched, bind: (controls: Controls) => readonly Binding[]) {
    this.#output = output
    this.#watch = watch
    this.#bindings = bind(this)
    this.#giveBack = listenForKeys((press) => this.#onPress(press))
    this.#timer = setInterval(this.#draw, REFRESH_MS).unref()
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

  /** Lets somebody type a filter in place of the keys. */
  askFilter(apply: (text: string) => void): void {
    this.#typing = { text: '', apply }
  }

  clear(): void {
    this.#pinned.clear()
  }

  explain(): void {
    for (const [label, help] of this.#bindings) this.#output.note(`  ${keyOf(label)}   ${help}`)
  }

  readonly #draw = (): void => {
    const prompt =
      this.#typing && `Only lines with: ${printable(this.#typing.text)}_   (Enter, or Esc for all)`
    const keys = this.#bindings.map(([label]) => label)
    this.#pinned.show(footerLines({ ...this.#watch(), prompt, keys }, this.#output.stderr))
  }

  #onPress(press: Press): void {
    if (press.name === 'ctrl+c') process.emit('SIGINT', 'SIGINT')
    else if (this.#typing) this.#edit(press, this.#typing)
    else void this.#act(press)
    if (!this.#isStopped) this.#draw()
  }

  async #act({ text }: Press): Promise<void> {
    const [, , act] = this.#bindings.find(([label]) => keyOf(label) === text) ?? []
    try {
      await act?.()
    } catch (error) {
      const failure = error instanceof ProblemError ? error : toClerkSyncError(error)
      for (const line of failureLines(failure, this.#output.stderr)) this.#output.note(line)
    }
  }

  #edit({ text, name }: Press, typing: Typing): void {
    if (name === 'escape') this.#apply('')
    else if (name === 'return' || name === 'enter') this.#apply(typing.text)
    else if (name === 'backspace') typing.text = [...typing.text].slice(0, -1).join('')
    else if (text !== undefined) typing.text += text
  }

  #apply(filter: string): void {
    this.#typing?.apply(filter)
    this.#typing = undefined
  }
}

function keyOf(label: string): string {
  return label.charAt(1)
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
