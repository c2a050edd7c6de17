/** A Postgres of a test's own, from the installed binaries: one that it may stop, as a crash does, and start again. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { describe, inject } from 'vitest'
import { freePort } from './redis.ts'

const run = promisify(execFile)

/** Runs the suite if a Postgres is installed; else it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithInstalledPostgres(title: string, suite: (binaries: string) => void): void {
  const binaries = inject('postgresBinaries')
  if (binaries === null) describe.skip(`${title} (needs an installed Postgres)`, () => suite(''))
  else describe(title, () => suite(binaries))
}

const PLACES = [
  '/usr/lib/postgresql/*/bin',
  '/usr/local/bin',
  '/usr/bin',
  '/opt/homebrew/bin',
  '/usr/local/pgsql/bin',
]

/** The folder of the newest one; behind links, because not every program may have one. */
export async function findPostgresBinaries(): Promise<string | null> {
  const command = `ls -d ${PLACES.map((place) => `${place}/initdb`).join(' ')} 2>/dev/null || true`
  const { stdout } = await run('sh', ['-c', command])
  const newest = stdout.trim().split('\n').filter(Boolean).sort().at(-1)
  return newest === undefined ? null : dirname(await realpath(newest))
}

export async function postgresAnswers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** How it ends: `fast` closes connections and writes everything down, `immediate` is what a crash is. */
const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const

interface User {
  readonly uid: number
  readonly gid: number
}

export class PostgresServer {
  readonly url: string
  readonly #binaries: string
  readonly #folder: string
  readonly #port: number
  readonly #user: User | undefined
  #process: ChildProcess | undefined

  private constructor(binaries: string, folder: string, port: number, user: User | undefined) {
    this.#binaries = binaries
    this.#folder = folder
    this.#port = port
    this.#user = user
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  static async create(binaries: string): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-postgres-'))
    const user = await findPostgresUser()
    if (user) await chown(folder, user.uid, user.gid)
    const options = ['-D', folder, '-U', 'postgres', '-A', 'trust']
    await run(join(binaries, 'initdb'), options, { cwd: folder, ...user })
    const server = new PostgresServer(binaries, folder, await freePort(), user)
    await server.start()
    return server
  }

  /** A copy that follows this one, and that {@link promote} makes a primary. */
  async createStandby(): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-postgres-'))
    if (this.#user) await chown(folder, this.#user.uid, this.#user.gid)
    const options = ['-D', folder, '-d', this.url, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
    await run(join(this.#binaries, 'pg_basebackup'), options, { cwd: folder, ...this.#user })
    // A copy has its original's permissions only inside; Postgres wants them on the folder too.
    await chmod(folder, 0o700)
    const server = new PostgresServer(this.#binaries, folder, await freePort(), this.#user)
    await server.start()
    return server
  }

  async promote(): Promise<void> {
    await this.query('select pg_promote(true, 10)')
  }

  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url })
    await client.connect()
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }

  async start(): Promise<void> {
    const address = ['-p', String(this.#port), '-h', '127.0.0.1', '-k', this.#folder]
    this.#process = spawn(join(this.#binaries, 'postgres'), ['-D', this.#folder, ...address], {
      stdio: 'ignore',
      cwd: this.#folder,
      ...this.#user,
    })
    for (let tries = 0; tries < 300; tries++) {
      if (await postgresAnswers(this.url)) return
      await sleep(100)
    }
    throw new Error(`${join(this.#binaries, 'postgres')} does not answer at ${this.url}`)
  }

  async stop(how: keyof typeof SIGNALS = 'fast'): Promise<void> {
    const server = this.#process
    this.#process = undefined
    if (server === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    server.kill(SIGNALS[how])
    await ended
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Postgres refuses to run as root; its package made a user for it. */
export async function findPostgresUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}
