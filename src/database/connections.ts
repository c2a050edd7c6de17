/**
 * Every connection that a process opens to Postgres. Two pools: one for what clerk-sync sends, divided into lanes, and one for
 * handlers' transactions, whose SQL is not ours and may leave a session changed.
 *
 * A connection is not used again once it is older than its lifetime, or once any connection has answered that it may only
 * read: then the server behind it is no longer the primary.
 */

import type { CustomTypesConfig, Pool, PoolClient, PoolConfig } from 'pg'
import { ClerkSyncError } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'
import { READ_ONLY } from './failure.ts'
import { Lanes } from './lanes.ts'
import type { LaneName, Shares } from './shares.ts'
import { ASKED_AFTER_MS, isWorkedOn, owesAnswer } from './silence.ts'
import { streamOf } from './stream.ts'

/** What hands out connections; each is given back with its `release`. */
export interface ConnectionSource {
  connect(): Promise<PoolClient>
  end(): Promise<void>
}

/** What is connected, and who waits for it. */
export interface ConnectionState {
  /** How many connections are open. */
  readonly open: number
  /** How many may be. */
  readonly max: number
  /** By what they are used for. */
  readonly lanes: readonly {
    readonly name: LaneName | 'handlers'
    readonly busy: number
    readonly max: number
    readonly waiting: number
  }[]
}

/** An embedded database has none. */
export const NO_CONNECTIONS: ConnectionState = { open: 0, max: 0, lanes: [] }

/** How long a connection may take, so that a database which is down is noticed within the two seconds of a refusal. */
export const CONNECT_TIMEOUT_MS = 1_500
/** Names and addresses of a database change; a connection that lives for ever never learns of it. */
const LIFETIME_SECONDS = 1_800
/**
 * A connection for bookkeeping that is silent for longer is dead: no statement there takes seconds, but for a claim that waits
 * until Postgres has ended the one of a worker that was lost, after five.
 */
const BOOKKEEPING_SILENCE_MS = 8_000
/** How long connections in use may take to say goodbye. */
const GOODBYE_MS = 2_000
/** A database that stays read only must not cost new connections for every statement. */
const RENEW_EVERY_MS = 1_000

export class Connections {
  readonly #config: PoolConfig
  readonly #shares: Shares
  readonly #lanes: Lanes<LaneName>
  readonly #telemetry: Telemetry
  #shared: Promise<Pool> | undefined
  #handlers: Promise<Pool> | undefined
  /** Those of the two that were made. */
  readonly #pools = new Map<'shared' | 'handlers', Pool>()
  #isClosed = false
  /** Connections of an earlier generation are not used again. */
  #generation = 0
  #renewedAt = Number.NEGATIVE_INFINITY
  readonly #born = new WeakMap<PoolClient, number>()
  readonly #open = new Set<PoolClient>()
  /** Those whose statements may take any time. */
  readonly #asked = new WeakSet<PoolClient>()

  constructor(config: PoolConfig, shares: Shares, telemetry: Telemetry) {
    this.#config = config
    this.#telemetry = telemetry
    this.#shares = shares
    this.#lanes = new Lanes(shares.shared, shares.lanes)
  }

  /** For one kind of work. */
  lane(name: LaneName): ConnectionSource {
    return {
      connect: () => this.#connectIn(name),
      end: () => this.end(),
    }
  }

  /** For handlers' transactions. */
  async connectHandler(): Promise<PoolClient> {
    this.#requireOpen()
    this.#handlers ??= this.#create('handlers')
    const startedAt = performance.now()
    const client = await this.#fresh(await this.#handlers)
    this.#recordWait('handlers', startedAt)
    this.#askWhenSilent(client)
    afterRelease(client, () => this.#rest(client))
    return client
  }

  get state(): ConnectionState {
    const { shared, lanes, handlers } = this.#shares
    const pool = this.#pools.get('handlers')
    const names = Object.keys(lanes) as LaneName[]
    return {
      open: [...this.#pools.values()].reduce((sum, { totalCount }) => sum + totalCount, 0),
      max: shared + handlers,
      lanes: [
        ...names.map((name) => ({ name, max: lanes[name].limit, ...this.#lanes.state(name) })),
        {
          name: 'handlers',
          max: handlers,
          busy: pool ? pool.totalCount - pool.idleCount : 0,
          waiting: pool?.waitingCount ?? 0,
        },
      ],
    }
  }

  /** The server is no longer the primary: connections that are open now are replaced before they are used again. */
  #renew(): void {
    const now = performance.now()
    if (now - this.#renewedAt < RENEW_EVERY_MS) return
    this.#renewedAt = now
    this.#generation++
  }

  async end(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // A connection that a network silently dropped never closes.
    const late = setTimeout(() => this.#open.forEach(cut), GOODBYE_MS)
    const pools = [this.#shared, this.#handlers]
    await Promise.all(pools.map(async (pool) => (await pool)?.end())).finally(() => clearTimeout(late))
  }

  async #connectIn(lane: LaneName): Promise<PoolClient> {
    const startedAt = performance.now()
    await this.#lanes.enter(lane)
    try {
      this.#requireOpen()
      this.#shared ??= this.#create('shared')
      const client = await this.#fresh(await this.#shared)
      this.#recordWait(lane, startedAt)
      // A batch of deliveries or repairs knows for each of its flights how long it may be silent.
      if (lane === 'bookkeeping') streamOf(client).setTimeout?.(BOOKKEEPING_SILENCE_MS)
      if (lane === 'queries') this.#askWhenSilent(client)
      afterRelease(client, () => {
        this.#rest(client)
        this.#lanes.leave(lane)
      })
      return client
    } catch (error) {
      this.#lanes.leave(lane)
      throw error
    }
  }

  #recordWait(lane: LaneName | 'handlers', startedAt: number): void {
    this.#telemetry.record({ kind: 'connection', lane, ms: performance.now() - startedAt })
  }

  async #fresh(pool: Pool): Promise<PoolClient> {
    for (;;) {
      const client = await pool.connect()
      if (this.#born.get(client) === this.#generation) return client
      client.release(true)
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ClerkSyncError('shutting_down')
  }

  async #create(name: 'shared' | 'handlers'): Promise<Pool> {
    const pool = await createPool({ ...this.#config, max: this.#shares[name], min: 0 })
    this.#pools.set(name, pool)
    pool.on('connect', (client) => this.#greet(client))
    pool.on('remove', (client) => void this.#open.delete(client))
    return pool
  }

  #askWhenSilent(client: PoolClient): void {
    this.#asked.add(client)
    streamOf(client).setTimeout?.(ASKED_AFTER_MS)
  }

  #rest(client: PoolClient): void {
    this.#asked.delete(client)
    streamOf(client).setTimeout?.(0)
  }

  async #onSilence(client: PoolClient): Promise<void> {
    const isAlive = this.#asked.has(client) && (!owesAnswer(client) || (await this.#isWorkedOn(client)))
    if (!isAlive) cut(client)
    // It may have been given back meanwhile.
    else if (this.#asked.has(client)) this.#askWhenSilent(client)
  }

  #isWorkedOn(client: PoolClient): Promise<boolean> {
    return isWorkedOn(client, connectionOptions(this.#config))
  }

  #greet(client: PoolClient): void {
    this.#born.set(client, this.#generation)
    // A network or a pooler that silently drops a connection would leave a query waiting for a quarter of an hour.
    this.#open.add(client)
    streamOf(client).on?.('timeout', () => void this.#onSilence(client))
    onServerError(client, (code) => {
      if (code !== READ_ONLY) return
      this.#born.delete(client)
      this.#renew()
    })
  }
}

async function createPool(config: PoolConfig): Promise<Pool> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ ...connectionOptions(config), types: withNumbers(config.types ?? pg.types) })
  // A connection that is lost tells so twice: the query in flight fails, and an error is emitted, which would end the
  // process if nobody heard it. Idle connections emit it through the pool. Either way the pool replaces the connection.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** What every connection has, unless the options for `pg` say otherwise. */
export function connectionOptions(config: PoolConfig): PoolConfig {
  return {
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    maxLifetimeSeconds: LIFETIME_SECONDS,
    keepAlive: true,
    application_name: 'clerk-sync',
    ...config,
  }
}

/** For statements that only read, within seconds, on another server. */
export async function createReplicaPool(config: PoolConfig, max: number): Promise<Pool> {
  const pool = await createPool({ ...config, max, min: 0 })
  pool.on('connect', (client) => {
    streamOf(client).setTimeout?.(BOOKKEEPING_SILENCE_MS, () => cut(client))
  })
  return pool
}

function cut(client: PoolClient): void {
  streamOf(client).destroy?.()
}

/** `bigint` comes as text from `pg`, because JavaScript is exact only up to 2^53. Nothing here is beyond. */
function withNumbers(types: CustomTypesConfig): CustomTypesConfig {
  const getTypeParser = (oid: number, format?: 'text' | 'binary') =>
    oid === BIGINT ? Number : types.getTypeParser(oid, format as 'text')
  return { getTypeParser } as CustomTypesConfig
}

const BIGINT = 20

/** The pool gives a client a new `release` each time it hands it out. */
function afterRelease(client: PoolClient, follow: () => void): void {
  const { release } = client
  client.release = (error) => {
    release.call(client, error)
    follow()
  }
}

/** An error response as the server sent it. `pg`'s types omit the protocol's messages. */
function onServerError(client: PoolClient, hear: (code: string | undefined) => void): void {
  const { connection } = client as unknown as {
    connection: { on(event: 'errorMessage', listener: (message: { code?: string }) => void): void }
  }
  connection.on('errorMessage', ({ code }) => hear(code))
}
