/** A Prometheus of a test's own, from the installed binary, and its linter. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, inject } from 'vitest'
import { freePort } from './redis-server.ts'

/** Runs the suite if a Prometheus is installed; else it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithPrometheus(title: string, suite: () => void): void {
  if (inject('prometheus') === null) describe.skip(`${title} (needs an installed Prometheus)`, suite)
  else describe(title, suite)
}

/** What `promtool` says; rejects if it finds a mistake. */
export async function promtool(args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)(inject('promtool') as string, [...args])
  running.child.stdin?.end(input)
  const { stdout, stderr } = await running
  return stdout + stderr
}

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: string
}

export class PrometheusServer {
  readonly #url: string
  readonly #process: ChildProcess
  readonly #folder: string

  private constructor(url: string, process: ChildProcess, folder: string) {
    this.#url = url
    this.#process = process
    this.#folder = folder
  }

  /** Scrapes a port every quarter of a second. @param rules the text of a rule file */
  static async start(target: number, rules: string): Promise<PrometheusServer> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-prometheus-'))
    const config = {
      global: { scrape_interval: '250ms', scrape_timeout: '250ms', evaluation_interval: '250ms' },
      rule_files: ['rules.yml'],
      scrape_configs: [{ job_name: 'clerk-sync', static_configs: [{ targets: [`127.0.0.1:${target}`] }] }],
    }
    // JSON is YAML.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
    await writeFile(join(folder, 'rules.yml'), rules)
    const address = `127.0.0.1:${await freePort()}`
    const process = spawn(
      inject('prometheus') as string,
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: 'ignore' },
    )
    const server = new PrometheusServer(`http://${address}`, process, folder)
    await server.#untilReady()
    return server
  }

  /** Waits for an alert to fire. */
  async firing(name: string): Promise<Alert> {
    for (;;) {
      const { alerts } = await this.#get<{ alerts: Alert[] }>('/api/v1/alerts')
      const found = alerts.find(({ labels, state }) => labels.alertname === name && state === 'firing')
      if (found) return found
      await sleep(50)
    }
  }

  /** The values of an expression now, by its labels as JSON. */
  async query(expression: string): Promise<number[]> {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`
    const { result } = await this.#get<{ result: { value: [number, string] }[] }>(path)
    return result.map(({ value }) => Number(value[1]))
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #untilReady(): Promise<void> {
    while (!(await fetch(`${this.#url}/-/ready`).catch(() => undefined))?.ok) {
      if (this.#process.exitCode !== null) throw new Error(`Prometheus ended with ${this.#process.exitCode}`)
      await sleep(50)
    }
  }

  async #get<Data>(path: string): Promise<Data> {
    const { data } = (await (await fetch(this.#url + path)).json()) as { data: Data }
    return data
  }
}
