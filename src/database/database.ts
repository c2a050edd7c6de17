/** Kysely on Postgres or on the embedded PGlite, chosen by an address, opened on first use. */

import { resolve } from 'node:path'
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely'
import type { PoolConfig } from 'pg'
import { ClerkSyncError } from '../errors.ts'
import { Telemetry } from '../telemetry.ts'
import { readAddress } from './address.ts'
import { type BeginBatch, batchesOnPGlite, batchesOnPostgres } from './batch.ts'
import {
  type ConnectionSource,
  type ConnectionState,
  Connections,
  createReplicaPool,
  NO_CONNECTIONS,
} from './connections.ts'
import { type EmbeddedHandle, IN_MEMORY, openEmbedded, type PGlite } from './embedded.ts'
import { type Listen, listenOnPostgres } from './listen.ts'
import { beginOnPGlite, beginOnPostgres, type OpenTransaction } from './open-transaction.ts'
import { divideConnections } from './shares.ts'
import type { ClerkTables } from './tables.ts'
import { type RunTogether, togetherOnPGlite, togetherOnPostgres } from './together.ts'

/**
 * Where the database is: `postgres://…`, a folder for an embedded one, or options for `pg`'s pool.
 * https://node-postgres.com/apis/pool
 */
export type DatabaseAddress = string | PoolConfig

export interface Database {
  readonly kind: 'postgres' | 'embedded'
  /** For people: host and database, or the folder; never a password. */
  readonly location: string
  readonly schema: string
  /** For everyone's queries. Table names need no schema. */
  readonly queries: Kysely<ClerkTables>
  /** For people's questions, which may be answered a little late: a replica, if there is one. */
  readonly reads: Kysely<ClerkTables>
  /** For deliveries, with connections of their own, so that slow queries elsewhere cannot hold them up. */
  readonly beginDeliveries: BeginBatch
  /** How many transactions of deliveries at a time are fastest. */
  readonly deliveryTransactions: number
  /** For what the Backend API showed: there can be a million rows of it. */
  readonly beginRepairs: BeginBatch
  /** For keeping the books of handlers' runs: their leases must not wait for the handlers' own queries. */
  readonly bookkeeping: Kysely<ClerkTables>
  /** The same, for statements that belong together. */
  readonly bookkeepTogether: RunTogether
  /**
   * Begins a transaction for code that is not ours. What it leaves unfinished, the database ends by itself.
   * @param timeoutMs the longest that a statement may run, or the transaction be idle
   */
  begin(timeoutMs: number): Promise<OpenTransaction>
  /** How many of them may be open at a time; none where no connection can be spared for them. */
  readonly handlerTransactions: number
  /** Runs statements outside any transaction, on a connection that is closed afterwards: they may change its session. */
  runAlone<Result>(work: (run: RunStatement) => Promise<Result>): Promise<Result>
  /** Hears notifications; null where no connection can be spared for it. */
  readonly listen: Listen | null
  /** What is connected right now. */
  readonly connections: ConnectionState
  /** Where the core tells what it does. */
  readonly telemetry: Telemetry
  close(): Promise<void>
}

/** Runs one statement and returns its rows. */
type RunStatement = (
  text: string,
  parameters?: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>

/** How many connections, and to what. */
export interface ConnectionOptions {
  readonly maxConnections: number
  /** A copy of the database that people's questions may go to. */
  readonly replicaUrl?: string | undefined
}

export function openDatabase(
  address: DatabaseAddress,
  schema: string,
  options: ConnectionOptions,
  telemetry: Telemetry = new Telemetry(),
): Database {
  if (typeof address !== 'string') return openPostgres(readAddress(address), schema, options, telemetry)
  if (POSTGRES_ADDRESS.test(address))
    return openPostgres(readAddress({ connectionString: address }), schema, options, telemetry)
  if (address !== IN_MEMORY && /^\w+:\/\//.test(address)) throw unknownAddress(address)
  if (address !== IN_MEMORY && MISTAKEN.test(address)) throw mistakenAddress()
  if (options.replicaUrl !== undefined)
    throw new ClerkSyncError('option_invalid', 'replicaUrl is for a Postgres, and the database is a folder')
  return openFolder(address === IN_MEMORY ? address : resolve(address), schema, telemetry)
}

const POSTGRES_ADDRESS = /^postgres(ql)?:\/\//
/**
 * What is meant as an address and would be taken for a folder, where acknowledged events would go and nobody would look:
 * in quotes, without its scheme, or in the words of libpq.
 */
const MISTAKEN = /^["'\s]|:\/\/|^[\w.-]+:\d+(\/|$)|\b(host|dbname|password)\s*=/

/** Without the address, which may hold a password. */
function mistakenAddress(): ClerkSyncError {
  const shape = 'postgres://user:password@host:5432/name'
  return new ClerkSyncError(
    'option_invalid',
    `database looks like an address and is none; write ${shape}, without quotes`,
  )
}

function unknownAddress(address: string): ClerkSyncError {
  const scheme = address.slice(0, address.indexOf(':'))
  return new ClerkSyncError('option_invalid', `database is a ${scheme} address; use postgres:// or a folder`)
}

function openPostgres(
  config: PoolConfig,
  schema: string,
  options: ConnectionOptions,
  telemetry: Telemetry,
): Database {
  if (SEVERAL_HOSTS.test(config.connectionString ?? '')) throw severalHosts()
  const shares = divideConnections(options.maxConnections, options.replicaUrl !== undefined)
  const connections = new Connections(config, shares, telemetry)
  const queries = postgresKysely(connections.lane('queries'), schema)
  const replica = options.replicaUrl ? openReplica(options.replicaUrl, shares.replica, schema) : undefined
  return {
    kind: 'postgres',
    location: describePostgres(config),
    schema,
    queries,
    reads: replica ?? queries,
    beginDeliveries: batchesOnPostgres(connections.lane('deliveries')),
    deliveryTransactions: shares.deliveryTransactions,
    beginRepairs: batchesOnPostgres(connections.lane('repairs')),
    bookkeeping: postgresKysely(connections.lane('bookkeeping'), schema),
    bookkeepTogether: togetherOnPostgres(connections.lane('bookkeeping')),
    handlerTransactions: shares.handlers,
    begin: async (timeoutMs) => beginOnPostgres(await connections.connectHandler(), timeoutMs),
    runAlone: async (work) => {
      if (shares.handlers === 0) throw new ClerkSyncError('option_invalid', TOO_FEW_TO_RUN_ALONE)
      const client = await connections.connectHandler()
      try {
        return await work(async (text, parameters = []) => (await client.query(text, [...parameters])).rows)
      } finally {
        client.release(true)
      }
    },
    listen: shares.listens ? listenOnPostgres(config) : null,
    get connections() {
      return connections.state
    },
    telemetry,
    close: async () => {
      await Promise.all([connections.end(), replica?.destroy()])
    },
  }
}

/** As libpq takes them. `pg` would look for a host of that name. */
const SEVERAL_HOSTS = /^\w+:\/\/(?:[^/?@]*@)?[^/?@,]*,[^@/]*(?:[/?]|$)/

function severalHosts(): ClerkSyncError {
  return new ClerkSyncError(
    'option_invalid',
    'database names several hosts, which the driver cannot choose from; use one address that follows the primary',
  )
}

const TOO_FEW_TO_RUN_ALONE =
  'maxConnections is 1; an index is built beside the traffic with at least 2: run `clerk-sync migrate` with more'

function postgresKysely(connections: ConnectionSource, schema: string): Kysely<ClerkTables> {
  const dialect = new PostgresDialect({ pool: { ...connections, options: {} } })
  return new Kysely<ClerkTables>({ dialect }).withSchema(schema)
}

function openReplica(url: string, max: number, schema: string): Kysely<ClerkTables> {
  if (!POSTGRES_ADDRESS.test(url))
    throw new ClerkSyncError('option_invalid', 'replicaUrl must be a postgres:// address')
  const dialect = new PostgresDialect({
    pool: () => createReplicaPool(readAddress({ connectionString: url }), max),
  })
  return new Kysely<ClerkTables>({ dialect }).withSchema(schema)
}

/**
 * Kysely opens the instance once, and others in this process may keep it open. It throws at once: Kysely would wait for ever
 * for a transaction that does not begin.
 */
function whileOpen(pglite: PGlite, requireOpen: () => void): PGlite {
  return new Proxy(pglite, {
    get: (target, name) => {
      if (name === 'query' || name === 'transaction') requireOpen()
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function describePostgres({ connectionString, host, port, database }: PoolConfig): string {
  if (connectionString === undefined) return `${host ?? 'localhost'}:${port ?? 5432}/${database ?? ''}`
  try {
    const url = new URL(connectionString)
    return `${url.host || 'localhost'}${url.pathname}`
  } catch {
    return 'postgres'
  }
}

function openFolder(folder: string, schema: string, telemetry: Telemetry): Database {
  let handle: Promise<EmbeddedHandle> | undefined
  let isClosed = false
  const requireOpen = () => {
    if (isClosed) throw new ClerkSyncError('shutting_down')
  }
  const open = async () => {
    requireOpen()
    handle ??= openEmbedded(folder).catch((error) => {
      handle = undefined
      throw error
    })
    return (await handle).pglite
  }
  const pglite = async () => whileOpen(await open(), requireOpen)
  const dialect = new PGliteDialect({ pglite })
  const kysely = new Kysely<ClerkTables>({ dialect }).withSchema(schema)
  const beginBatch = batchesOnPGlite(open)
  return {
    kind: 'embedded',
    location: folder,
    schema,
    queries: kysely,
    reads: kysely,
    beginDeliveries: beginBatch,
    // It has one connection: more transactions at a time would only be smaller ones.
    deliveryTransactions: 1,
    beginRepairs: beginBatch,
    bookkeeping: kysely,
    bookkeepTogether: togetherOnPGlite(open),
    begin: async (timeoutMs) => beginOnPGlite(await open(), timeoutMs),
    handlerTransactions: 1,
    runAlone: async (work) => {
      const pglite = await open()
      return work(
        async (text, parameters = []) =>
          (await pglite.query<Record<string, unknown>>(text, [...parameters])).rows,
      )
    },
    listen: async (channel, onText) => (await open()).listen(channel, onText),
    connections: NO_CONNECTIONS,
    telemetry,
    // Not kysely.destroy(): that would close the instance under others in this process who share it.
    close: async () => {
      isClosed = true
      await (await handle?.catch(() => undefined))?.close()
    },
  }
}
