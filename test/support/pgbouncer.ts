/** A PgBouncer of a test's own, which gives each transaction another connection to the server. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, inject } from 'vitest'
import { describeWithPostgres } from './databases.ts'
import { findPostgresUser, postgresAnswers } from './postgres-server.ts'
import { freePort } from './redis-server.ts'

/** Runs the suite if both are there; else it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithPgBouncer(
  title: string,
  suite: (postgresUrl: string, program: string) => void,
): void {
  const program = inject('pgbouncer')
  if (program === null) describe.skip(`${title} (needs an installed PgBouncer)`, () => suite('', ''))
  else describeWithPostgres(title, (url) => suite(url, program))
}

export class PgBouncer {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #port: number

  private constructor(process: ChildProcess, folder: string, port: number) {
    this.#process = process
    this.#folder = folder
    this.#port = port
  }

  /** @param poolSize how many connections to the server all clients share */
  static async start(program: string, target: URL, poolSize: number): Promise<PgBouncer> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-pgbouncer-'))
    const port = await freePort()
    // Like Postgres, it refuses to run as root.
    const user = await findPostgresUser()
    const password = decodeURIComponent(target.password)
    await writeFile(join(folder, 'users.txt'), `"${target.username}" "${password}"\n`)
    const settings = [
      '[databases]',
      `* = host=${target.hostname} port=${target.port || 5432}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${join(folder, 'users.txt')}`,
      'pool_mode = transaction',
      `default_pool_size = ${poolSize}`,
      'max_client_conn = 500',
    ]
    await writeFile(join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`)
    if (user) await chown(folder, user.uid, user.gid)
    const child = spawn(program, [join(folder, 'pgbouncer.ini')], { stdio: 'ignore', cwd: folder, ...user })
    const bouncer = new PgBouncer(child, folder, port)
    for (let tries = 0; tries < 100; tries++) {
      if (await postgresAnswers(bouncer.url(target))) return bouncer
      await sleep(50)
    }
    throw new Error(`${program} does not answer at port ${port}`)
  }

  /** The target's address, through it. */
  url(target: URL): string {
    const url = new URL(target)
    url.hostname = '127.0.0.1'
    url.port = String(this.#port)
    return url.href
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
    await rm(this.#folder, { recursive: true, force: true })
  }
}
