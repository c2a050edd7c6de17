/** What is measured: a Postgres of its own, perhaps a Redis, and receivers and workers in networks of their own. */

import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { findPostgresBinaries, PostgresServer } from '../../test/support/postgres-server.ts'
import { RedisServer } from '../../test/support/redis-server.ts'
import { SECRET } from '../load/requests.ts'
import { Child } from '../processes.ts'
import { openServerCpu, type ServerCpu } from '../server-cpu.ts'
import { CappedProcess, type Role } from './capped-process.ts'
import type { Delay } from './delay.ts'
import { insist } from './insist.ts'
import { Network } from './network.ts'

export type EngineName = 'postgres' | 'bullmq'

/** Half of the round trip, each way. */
const DELAY_MS = 1
/** What docs/connections.md recommends for each role. */
const POOLS: Readonly<Record<Role, string>> = { receiver: '5', worker: '8' }
/** No checkpoint while something is measured. */
const SETTINGS = {
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
}

/** What is left to do when this process exits, also after Ctrl-C; all of it may be done twice. */
const ends: (() => void)[] = []
process.once('exit', () => {
  for (const end of ends.toReversed()) end()
})

export class Site {
  readonly client: pg.Client
  readonly postgresCpu: ServerCpu
  readonly processes: CappedProcess[] = []
  /** Postgres' address, behind the delay. */
  readonly delayedUrl: string
  readonly #parts: Parts

  private constructor(parts: Parts, client: pg.Client, postgresCpu: ServerCpu) {
    this.#parts = parts
    this.client = client
    this.postgresCpu = postgresCpu
    this.delayedUrl = through(parts.postgres.url, parts.network.address, parts.postgresPort)
  }

  static async create(engine: EngineName): Promise<Site> {
    const parts = await startParts(engine)
    const client = new pg.Client({ connectionString: parts.postgres.url })
    client.on('error', () => undefined)
    await client.connect()
    const postgresCpu = await openServerCpu(client)
    if (!postgresCpu) throw new Error('the CPU of Postgres cannot be read from /proc')
    return new Site(parts, client, postgresCpu)
  }

  of(role: Role): CappedProcess[] {
    return this.processes.filter((process) => process.role === role)
  }

  /**
   * Starts processes until there are so many of each role. The first receiver creates the tables.
   * @returns the receivers that it started
   */
  async growTo(count: number): Promise<CappedProcess[]> {
    const before = this.of('receiver').length
    for (const role of ['receiver', 'worker'] as const) {
      while (this.of(role).length < count) {
        const process = this.#start(role)
        ends.push(() => process.killSync())
        this.processes.push(process)
        if (this.processes.length === 1) await this.processes[0]?.untilReady()
      }
    }
    await Promise.all(this.processes.map((process) => process.untilReady()))
    return this.of('receiver').slice(before)
  }

  #start(role: Role): CappedProcess {
    const { network, folder, redis, redisPort } = this.#parts
    const env = {
      DATABASE_URL: this.delayedUrl,
      CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
      CLERK_SYNC_MAX_CONNECTIONS: POOLS[role],
      CLERK_SYNC_LOG_SAMPLE: '0',
      ...(redis && { SCALING_REDIS: through(redis.url, network.address, redisPort) }),
    }
    return new CappedProcess({ role, namespace: network.add(), folder, env })
  }

  async close(): Promise<void> {
    const { postgres, redis, delays, network, folder } = this.#parts
    await Promise.all(this.processes.splice(0).map((process) => process.stop()))
    await this.client.end()
    await Promise.all(delays.map((delay) => delay.stop()))
    await redis?.stop()
    await postgres.remove()
    network.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Parts {
  readonly folder: string
  readonly network: Network
  readonly postgres: PostgresServer
  readonly postgresPort: number
  readonly redis: RedisServer | null
  readonly redisPort: number
  readonly delays: readonly Child<Delay>[]
}

async function startParts(engine: EngineName): Promise<Parts> {
  const binaries = await findPostgresBinaries()
  if (!binaries) throw new Error('install a Postgres server, with initdb')
  const redis = engine === 'bullmq' ? await RedisServer.start() : null
  if (engine === 'bullmq' && !redis) throw new Error('install redis-server')
  if (redis) ends.push(() => redis.killSync())
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-scaling-'))
  const data = await mkdtemp(join(tmpdir(), 'clerk-sync-postgres-'))
  ends.push(() => {
    for (const path of [folder, data]) insist(() => removeSync(path))
  })
  const postgres = await PostgresServer.create(binaries, { data, settings: SETTINGS })
  ends.push(() => postgres.killSync())
  const network = new Network()
  ends.push(() => network.remove())
  const targets = [postgres.url, ...(redis ? [redis.url] : [])]
  const delays = targets.map(
    (url) => new Child<Delay>('./scaling/delay.ts', [new URL(url).port, network.address]),
  )
  const [postgresPort = 0, redisPort = 0] = await Promise.all(
    delays.map((delay) => delay.ask('listen', undefined)),
  )
  await Promise.all(delays.map((delay) => delay.ask('setDelay', DELAY_MS)))
  return { folder, network, postgres, postgresPort, redis, redisPort, delays }
}

function through(url: string, hostname: string, port: number): string {
  return Object.assign(new URL(url), { hostname, port: String(port) }).href.replace(/\/$/, '')
}

/** A server that was killed may still be writing, which `rmSync` does not always report. */
function removeSync(path: string): void {
  rmSync(path, { recursive: true, force: true })
  if (existsSync(path)) throw new Error(`${path} is still there`)
}
