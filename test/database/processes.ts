/** Starts processes that open databases. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const PROGRAM = fileURLToPath(new URL('process.ts', import.meta.url))

export interface Process {
  readonly child: ChildProcess
  /** The next line that it tells; `undefined` after the last. */
  next(): Promise<Record<string, unknown> | undefined>
  /** Lets it end by itself. */
  end(): Promise<void>
  /** As `kill -9`. */
  kill(): Promise<void>
}

export interface ProcessOptions {
  readonly command: 'migrate' | 'upgrade' | 'hold' | 'fill' | 'contend'
  readonly database: string
  readonly schema?: string
  /** Arguments for Node itself. */
  readonly nodeArguments?: readonly string[]
}

/** Starts one; it is killed at the latest when the test ends. */
export function startProcess({
  command,
  database,
  schema = 'clerk',
  nodeArguments = [],
}: ProcessOptions): Process {
  const commandLine = ['--no-warnings', ...nodeArguments, PROGRAM, command, database, schema]
  const child = spawn(process.execPath, commandLine, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  return {
    child,
    kill,
    next: async () => {
      const { value } = await lines.next()
      return value === undefined ? undefined : JSON.parse(value)
    },
    end: async () => {
      child.stdin.end()
      await exited
    },
  }
}
