/** A terminal with somebody at it: a real pseudo-terminal, and an emulator that says what is to be seen on its screen. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import xterm from '@xterm/headless'
import { describe } from 'vitest'
import { SECRET } from './databases.ts'
import { bareEnvironment } from './environment.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const PTY = fileURLToPath(new URL('terminal.py', import.meta.url))

const PYTHON = spawnSync('python3', ['-c', 'import pty, sys; print(sys.executable)'], {
  encoding: 'utf8',
}).stdout?.trim()

/** Runs the suite where there are pseudo-terminals: Node has none of its own, Python does. In CI its absence is a failure. */
export function describeOnTerminal(title: string, suite: () => void): void {
  if (PYTHON || process.env.CI) describe(title, suite)
  else describe.skip(`${title} (needs python3, for a pseudo-terminal)`, suite)
}

export interface TerminalEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Whether the terminal was given back as it was found. */
  readonly state: string
}

export interface TerminalOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly columns?: number
  readonly rows?: number
}

export class Terminal {
  /** Everything that was written, with what a terminal obeys. */
  written = ''
  readonly ended: Promise<TerminalEnd>
  readonly #child: ChildProcess
  readonly #screen: InstanceType<typeof xterm.Terminal>

  /** @param args of the command line */
  constructor(args: readonly string[], { cwd, env = {}, columns = 120, rows = 40 }: TerminalOptions) {
    this.#screen = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
    const command = [PTY, String(columns), String(rows), process.execPath, MAIN, ...args]
    this.#child = spawn(PYTHON || 'python3', command, {
      cwd,
      env: {
        ...bareEnvironment(),
        TERM: 'xterm-256color',
        CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
        ...env,
      },
      stdio: ['pipe', 'pipe', 'inherit', 'pipe', 'pipe'],
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.written += chunk.toString()
      this.#screen.write(chunk)
    })
    const state = text(this.#child.stdio[4] as Readable)
    this.ended = once(this.#child, 'close').then(async ([code, signal]) => ({
      code,
      signal,
      state: await state,
    }))
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows)
    const control = this.#child.stdio[3] as NodeJS.WritableStream
    control.write(`${columns} ${rows}\n`)
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** The lines on the screen, without the empty ones at its end. */
  get screen(): string[] {
    return this.#lines(this.#screen.buffer.active.baseY)
  }

  /** As `screen`, with what has scrolled away. */
  get scrollback(): string[] {
    return this.#lines(0)
  }

  /** Waits for text somewhere in what can be scrolled to. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.scrollback.join('\n'))) {
      if (this.#child.exitCode !== null) throw new Error(`it ended:\n${this.scrollback.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #lines(from: number): string[] {
    const { active } = this.#screen.buffer
    const lines = Array.from({ length: active.length - from }, (_, line) =>
      (active.getLine(from + line)?.translateToString(true) ?? '').trimEnd(),
    )
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
  }
}
