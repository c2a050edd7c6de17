/** A Postgres of a test's own, from the installed binaries: one that it may stop, as a crash does, and start again. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './redis-server.ts'

const run = promisify(execFile)

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

/** Where its files are, and what it is told beyond its defaults. */
export interface PostgresPlace {
  readonly data: string
  /** The write-ahead log, on a file system of its own. */
  readonly wal?: string | undefined
  readonly settings?: Readonly<Record<string, string>> | undefined
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
  readonly #place: PostgresPlace
  readonly #port: number
  readonly #user: User | undefined
  #process: ChildProcess | undefined

  private constructor(binaries: string, place: PostgresPlace, port: number, user: User | undefined) {
    this.#binaries = binaries
    this.#place = place
    this.#port = port
    this.#user = user
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  /** @param given default: a temporary folder */
  static async create(binaries: string, given?: PostgresPlace): Promise<PostgresServer> {
    const place = given ?? (await temporaryPlace())
    const user = await findPostgresUser()
    await own(place, user)
    const options = ['-D', place.data, '-U', 'postgres', '-A', 'trust']
    if (place.wal) options.push('--waldir', place.wal)
    await run(join(binaries, 'initdb'), options, { cwd: place.data, ...user })
    const server = new PostgresServer(binaries, place, await freePort(), user)
    await server.start()
    return server
  }

  /** A copy that follows this one, and that {@link promote} makes a primary. */
  async createStandby(given?: PostgresPlace): Promise<PostgresServer> {
    const place = given ?? (await temporaryPlace())
    await own(place, this.#user)
    const options = ['-D', place.data, '-d', this.url, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
    if (place.wal) options.push('--waldir', place.wal)
    await run(join(this.#binaries, 'pg_basebackup'), options, { cwd: place.data, ...this.#user })
    // A copy has its original's permissions only inside; Postgres wants them on the folder too.
    await chmod(place.data, 0o700)
    const server = new PostgresServer(this.#binaries, place, await freePort(), this.#user)
    await server.start()
    return server
  }

  /** Whether its process lives; a full disk ends it, for example. */
  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
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
    const { data, settings = {} } = this.#place
    const address = ['-p', String(this.#port), '-h', '127.0.0.1', '-k', data]
    const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#process = spawn(join(this.#binaries, 'postgres'), ['-D', data, ...address, ...set], {
      stdio: 'ignore',
      cwd: data,
      ...this.#user,
    })
    for (let tries = 0; tries < 300; tries++) {
      if (await postgresAnswers(this.url)) return
      if (!this.isRunning) break
      await sleep(100)
    }
    throw new Error(`${join(this.#binaries, 'postgres')} does not answer at ${this.url}`)
  }

  async stop(how: keyof typeof SIGNALS = 'fast'): Promise<void> {
    const server = this.#process
    this.#process = undefined
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(SIGNALS[how])
    await ended
  }

  /** When this process ends: nobody could stop it any more. */
  killSync(): void {
    this.#process?.kill('SIGQUIT')
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#place.data, { recursive: true, force: true })
  }
}

async function temporaryPlace(): Promise<PostgresPlace> {
  return { data: await mkdtemp(join(tmpdir(), 'clerk-sync-postgres-')) }
}

async function own({ data, wal }: PostgresPlace, user: User | undefined): Promise<void> {
  for (const folder of [data, wal]) if (folder && user) await chown(folder, user.uid, user.gid)
}

/** Postgres refuses to run as root; its package made a user for it. */
export async function findPostgresUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}
