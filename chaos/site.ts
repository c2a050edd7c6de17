/** The installation that the chaos is done to: processes, a Postgres behind a proxy, a Redis, and what handlers call. */

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findPostgresBinaries, PostgresServer } from '../test/support/postgres-server.ts'
import { freePort, RedisServer } from '../test/support/redis-server.ts'
import { TcpProxy } from '../test/support/tcp-proxy.ts'
import { Disk } from './disk.ts'
import { SupervisedProcess } from './process.ts'
import { Sink } from './sink.ts'

export type EngineName = 'postgres' | 'bullmq'

export interface SiteOptions {
  readonly receivers: number
  readonly workers: number
  readonly engine: EngineName
}

/** Few connections, so that they can be exhausted; four processes with ten each leave room. */
const SETTINGS = { max_connections: '80', shared_buffers: '64MB', max_wal_size: '128MB' }
const POOL = '10'

const CLOCK_LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
]

export class Site {
  readonly secret = `whsec_${randomBytes(24).toString('base64')}`
  readonly clockLibrary = CLOCK_LIBRARIES.find((path) => existsSync(path))
  readonly receivers: SupervisedProcess[] = []
  readonly workers: SupervisedProcess[] = []
  readonly sink: Sink
  readonly proxy: TcpProxy
  readonly redis: RedisServer | null
  /** How many answers to a COMMIT the proxy withheld. */
  lostReplies = 0
  readonly #disks: Disk[]
  #postgres: PostgresServer
  readonly #abandoned: PostgresServer[] = []

  private constructor(
    postgres: PostgresServer,
    { disk, proxy, redis, sink }: { disk: Disk; proxy: TcpProxy; redis: RedisServer | null; sink: Sink },
  ) {
    this.#postgres = postgres
    this.#disks = [disk]
    this.proxy = proxy
    this.redis = redis
    this.sink = sink
    process.on('exit', () => this.#removeSync())
  }

  static async create(options: SiteOptions): Promise<Site> {
    const binaries = await findPostgresBinaries()
    if (binaries === null)
      throw new Error('chaos needs a Postgres of its own: install its server, with initdb')
    const redis = options.engine === 'bullmq' ? await RedisServer.start() : null
    if (options.engine === 'bullmq' && !redis)
      throw new Error('--engine bullmq needs an installed redis-server')
    const disk = await Disk.create()
    const postgres = await PostgresServer.create(binaries, await disk.place(SETTINGS))
    const proxy = await TcpProxy.to(new URL(postgres.url))
    const site = new Site(postgres, { disk, proxy, redis, sink: await Sink.start() })
    await site.#startProcesses(options)
    return site
  }

  get postgres(): PostgresServer {
    return this.#postgres
  }

  get disk(): Disk {
    return this.#disks.at(-1) as Disk
  }

  /** Where logs are. */
  get folder(): string {
    return (this.#disks[0] as Disk).folder
  }

  get processes(): readonly SupervisedProcess[] {
    return [...this.receivers, ...this.workers]
  }

  /** Past the proxy. Null while the database does not answer. */
  async query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[] | null> {
    const client = new pg.Client({
      connectionString: this.#postgres.url,
      connectionTimeoutMillis: 2_000,
      query_timeout: 30_000,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query(text, values)).rows
    } catch {
      return null
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** A full disk may have ended it, and it cannot start while the disk is full. */
  async revivePostgres(): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      try {
        if (!this.#postgres.isRunning) await this.#postgres.start()
        return
      } catch {
        await sleep(500)
      }
    }
    throw new Error('Postgres does not start again')
  }

  /**
   * The primary crashes and is never seen again, and a synchronous standby takes over: one that follows asynchronously
   * would lose what it had not received yet, which is Postgres' promise and not ours.
   */
  async failOver(calmMs: number): Promise<void> {
    const disk = await Disk.create()
    this.#disks.push(disk)
    const standby = await this.#postgres.createStandby(await disk.place(SETTINGS))
    await this.#postgres.query("alter system set synchronous_standby_names = '*'")
    await this.#postgres.query('select pg_reload_conf()')
    await this.#untilSynchronous()
    await sleep(calmMs)
    await this.#postgres.stop('immediate')
    this.#abandoned.push(this.#postgres)
    await standby.promote()
    this.#postgres = standby
    this.proxy.retarget(new URL(standby.url))
    this.proxy.cut()
  }

  async close(keepsLogs: boolean): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()))
    this.sink.close()
    await this.proxy.close()
    await this.redis?.stop()
    for (const server of [...this.#abandoned, this.#postgres]) await server.stop('immediate')
    for (const disk of this.#disks) {
      disk.unmount()
      if (!keepsLogs || disk.folder !== this.folder) await rm(disk.folder, { recursive: true, force: true })
    }
  }

  async #untilSynchronous(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const rows = await this.query("select 1 from pg_stat_replication where sync_state = 'sync'")
      if (rows?.length) return
      await sleep(100)
    }
    throw new Error('the standby does not become synchronous')
  }

  async #startProcesses({ receivers, workers }: SiteOptions): Promise<void> {
    await this.#postgres.query('create schema chaos')
    await this.#postgres.query(
      'create table chaos.effects (nr bigserial primary key, event_id text not null, user_id text not null, at bigint not null)',
    )
    for (let nr = 1; nr <= receivers; nr++) this.receivers.push(await this.#start('receiver', nr))
    await this.receivers[0]?.untilReady()
    for (let nr = 1; nr <= workers; nr++) this.workers.push(await this.#start('worker', nr))
    for (const process of this.processes) await process.untilReady()
  }

  /** The last of each kind has a clock that can be set. */
  async #start(role: 'receiver' | 'worker', nr: number): Promise<SupervisedProcess> {
    const env = {
      DATABASE_URL: this.proxy.url(new URL(this.#postgres.url)),
      CLERK_WEBHOOK_SIGNING_SECRET: this.secret,
      CLERK_SYNC_MAX_CONNECTIONS: POOL,
      CLERK_SYNC_LOG_SAMPLE: '0',
      CHAOS_SINK: this.sink.url,
      ...(this.redis && { CHAOS_REDIS: this.redis.url }),
    }
    const clockLibrary = nr === 1 ? undefined : this.clockLibrary
    const place = { port: await freePort(), folder: this.folder }
    return new SupervisedProcess({ name: `${role}-${nr}`, role, env, clockLibrary, ...place })
  }

  /** For an end without `close`: the children would live on. */
  #removeSync(): void {
    for (const process of this.processes) process.killSync()
    for (const server of [...this.#abandoned, this.#postgres]) server.killSync()
    this.redis?.killSync()
  }
}
