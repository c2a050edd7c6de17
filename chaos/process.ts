/** A receiver or a worker, as a process that an orchestrator starts again whenever it ends. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bareEnvironment } from '../test/support/environment.ts'

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const CONFIG = fileURLToPath(new URL('./config.ts', import.meta.url))
const RESTART_MS = 300

export interface ProcessOptions {
  readonly name: string
  readonly role: 'receiver' | 'worker'
  readonly port: number
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** The library that fakes its clock. */
  readonly clockLibrary?: string | undefined
}

export class SupervisedProcess {
  readonly options: ProcessOptions
  /** Ends that nobody caused. */
  readonly endings: string[] = []
  kills = 0
  #child: ChildProcess | undefined
  #isWanted = true
  #wasKilled = false

  constructor(options: ProcessOptions) {
    this.options = options
    this.setClock('+0')
    this.#start()
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async untilReady(): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      if (await isReady(this.url)) return
      await sleep(100)
    }
    throw new Error(`${this.options.name} does not become ready; see its log in ${this.options.folder}`)
  }

  /** kill -9; it is started again. */
  kill(): void {
    this.kills++
    this.#wasKilled = true
    this.#child?.kill('SIGKILL')
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** An offset such as `-600` in seconds. */
  setClock(offset: string): void {
    writeFileSync(this.#clockFile, offset)
  }

  async stop(): Promise<void> {
    this.#isWanted = false
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const isGone = await Promise.race([ended.then(() => true), sleep(10_000, false, { ref: false })])
    if (!isGone) child.kill('SIGKILL')
  }

  /** When this process ends in whatever way. */
  killSync(): void {
    this.#isWanted = false
    this.#child?.kill('SIGKILL')
  }

  get #clockFile(): string {
    return `${this.options.folder}/${this.options.name}.clock`
  }

  #start(): void {
    const { name, role, port, folder, env } = this.options
    const log = openSync(`${folder}/${name}.log`, 'a')
    const args = ['start', '--role', role, '--port', String(port), '--config', CONFIG, '--no-dashboard']
    this.#wasKilled = false
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { ...bareEnvironment(), ...env, ...this.#clockEnvironment() },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#child = child
    child.on('exit', (code, signal) => this.#ended(code, signal))
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.#isWanted) return
    if (!this.#wasKilled)
      this.endings.push(`${this.options.name} ended by itself: ${signal ?? `exit ${code}`}`)
    setTimeout(() => this.#isWanted && this.#start(), RESTART_MS)
  }

  /** Timers go by the monotonic clock, which stays right, as when ntpd or an operator sets the clock. */
  #clockEnvironment(): Record<string, string> {
    const { clockLibrary } = this.options
    if (!clockLibrary) return {}
    return {
      LD_PRELOAD: clockLibrary,
      FAKETIME_TIMESTAMP_FILE: this.#clockFile,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: '1',
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
