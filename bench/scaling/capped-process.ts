/** A receiver or a worker: `clerk-sync start` in a network of its own, with a share of a core. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processCpu } from '../server-cpu.ts'
import { CpuCap } from './cpu-cap.ts'
import { insist } from './insist.ts'
import type { Namespace } from './network.ts'

export const PORT = 4848
/** Where the load generator sends its requests. */
const PATH = '/webhooks'
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const CONFIG = fileURLToPath(new URL('./config.ts', import.meta.url))

export type Role = 'receiver' | 'worker'

export interface CappedProcessOptions {
  readonly role: Role
  readonly namespace: Namespace
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

export class CappedProcess {
  readonly role: Role
  readonly address: string
  readonly #name: string
  readonly #child: ChildProcess
  readonly #cap: CpuCap
  #log = ''

  constructor({ role, namespace, folder, env }: CappedProcessOptions) {
    this.role = role
    this.address = namespace.address
    this.#name = namespace.name
    this.#cap = new CpuCap(namespace.name)
    const start = ['start', '--role', role, '--host', '0.0.0.0', '--port', String(PORT), '--path', PATH]
    const argv = [process.execPath, MAIN, ...start, '--config', CONFIG, '--no-dashboard']
    // `ip netns exec` becomes the program, so that its process is the child.
    this.#child = spawn('ip', ['netns', 'exec', namespace.name, ...argv], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text) => {
        this.#log = `${this.#log}${text}`.slice(-2_000)
      })
    }
    this.#cap.add(this.#pid)
  }

  get #pid(): number {
    if (this.#child.pid === undefined) throw new Error('`ip` is not installed')
    return this.#child.pid
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The time in microseconds that it has used of the cores. */
  cpu(): Promise<number> {
    return processCpu(this.#pid)
  }

  /** @param share of one core; 0 for no limit */
  cap(share: number): void {
    this.#cap.set(share)
  }

  async untilReady(): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      if (await isReady(`http://${this.address}:${PORT}/readyz`)) return
      this.assertRuns()
      await sleep(100)
    }
    throw new Error(`${this.role} ${this.#name} does not become ready:\n${this.#log}`)
  }

  assertRuns(): void {
    if (this.#hasEnded) throw new Error(`${this.role} ${this.#name} has ended:\n${this.#log}`)
  }

  async stop(): Promise<void> {
    this.cap(0)
    if (!this.#hasEnded) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await ended
    }
    this.#cap.remove()
  }

  /** When this process exits. */
  killSync(): void {
    this.#child.kill('SIGKILL')
    insist(() => this.#cap.remove())
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
