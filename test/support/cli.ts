/** Runs the command line as people do: as a process of its own, in a folder of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { SECRET } from './databases.ts'
import { bareEnvironment } from './environment.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface CliOptions {
  readonly cwd: string
  /** Added to a bare environment that has the tests' signing secret; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What is typed; then stdin ends. */
  readonly input?: string | Promise<string>
  /** The program of another version. */
  readonly main?: string
}

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<Finished> {
  return new CliProcess(args, options).ended
}

let latest: Promise<unknown> = Promise.resolve()

/**
 * Runs a command to its end in the process of the tests, which saves the start of another. Commands follow each other,
 * because they share folder, environment and streams. For what a process does besides, its end by a signal or what Node
 * prints, there is {@link runCli}.
 */
export function callCli(
  args: readonly string[],
  options: Omit<CliOptions, 'main' | 'input'>,
): Promise<Finished> {
  const done = latest.then(() => call(args, options))
  latest = done.catch(() => undefined)
  return done
}

async function call(args: readonly string[], { cwd, env = {} }: CliOptions): Promise<Finished> {
  const { run } = await import('../../src/cli/program.ts')
  const before = { cwd: process.cwd(), env: process.env, exitCode: process.exitCode }
  const output = { stdout: '', stderr: '' }
  const restore = (['stdout', 'stderr'] as const).map((name) =>
    collect(process[name], (text) => {
      output[name] += text
    }),
  )
  process.chdir(cwd)
  process.env = environmentOf(env)
  process.exitCode = undefined
  try {
    await run(args)
    const code = Number(process.exitCode ?? 0)
    refuseSecrets(output)
    return { code, signal: null, ...output }
  } finally {
    for (const each of restore) each()
    process.chdir(before.cwd)
    process.env = before.env
    process.exitCode = before.exitCode
  }
}

/** @returns what gives the stream back */
function collect(stream: NodeJS.WriteStream, onText: (text: string) => void): () => void {
  const { write } = stream
  stream.write = (chunk: string | Uint8Array) => {
    onText(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    return true
  }
  return () => {
    stream.write = write
  }
}

/** A bare environment that has the tests' signing secret. */
function environmentOf(env: CliOptions['env']): NodeJS.ProcessEnv {
  const all = { ...bareEnvironment(), CLERK_WEBHOOK_SIGNING_SECRET: SECRET, ...env }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Runs `start` until it is ready. */
export async function startCli(args: readonly string[], options: CliOptions): Promise<CliProcess> {
  const cli = new CliProcess(['start', ...args], { ...options, env: { PORT: '0', ...options.env } })
  await cli.until(/ready/)
  return cli
}

export class CliProcess {
  readonly ended: Promise<Finished>
  readonly #child: ChildProcess
  readonly #output = { stdout: '', stderr: '' }

  constructor(args: readonly string[], { cwd, env = {}, input = '', main = MAIN }: CliOptions) {
    this.#child = spawn(process.execPath, [main, ...args], { cwd, env: environmentOf(env) })
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (chunk) => {
        this.#output[name] += chunk
      })
    }
    void Promise.resolve(input).then((text) => this.#child.stdin?.end(text))
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      refuseSecrets(this.#output)
      return { code, signal, ...this.#output }
    })
  }

  get stderr(): string {
    return this.#output.stderr
  }

  get stdout(): string {
    return this.#output.stdout
  }

  /** The address of the webhook route, from the line that says it is ready. */
  get url(): string {
    return /http:\/\/[^"\s]+/.exec(this.stdout)?.[0] as string
  }

  /** Waits for text on stdout. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`it ended: ${JSON.stringify(await this.ended)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.send(signal)
    return this.ended
  }
}

/** No command may ever print what only the sender and the receiver may know. */
function refuseSecrets(output: { stdout: string; stderr: string }): void {
  const key = SECRET.slice('whsec_'.length)
  if (`${output.stdout}${output.stderr}`.includes(key)) throw new Error('the signing secret was printed')
}

/** An empty folder, removed after the file's tests. */
export function temporaryFolder(): () => Promise<string> {
  let folder: Promise<string> | undefined
  afterAll(async () => {
    if (folder) await rm(await folder, { recursive: true, force: true })
  })
  return () => {
    folder ??= mkdtemp(join(tmpdir(), 'clerk-sync-cli-'))
    return folder
  }
}

/** The lines of NDJSON. */
export function jsonLines(text: string): Record<string, unknown>[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line))
}
