/** Kysely on Postgres or on the embedded PGlite, chosen by an address, opened on first use. */

import { resolve } from 'node:path'
import { Kysely, PGliteDialect, PostgresDialect, type PostgresPool } from 'kysely'
import type { CustomTypesConfig, Pool, PoolConfig } from 'pg'
import { ClerkSyncError } from '../errors.ts'
import { readAddress } from './address.ts'
import { type BeginBatch, batchesOnPGlite, batchesOnPostgres } from './batch.ts'
import { type EmbeddedHandle, IN_MEMORY, openEmbedded, type PGlite } from './embedded.ts'
import { withinSchema } from './introspector.ts'
import { beginOnPGlite, beginOnPostgres, type OpenTransaction } from './open-transaction.ts'
import { streamOf } from './stream.ts'
import type { ClerkTables } from './tables.ts'

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
  /** For deliveries, with connections of their own, so that slow queries elsewhere cannot hold them up. */
  readonly beginDeliveries: BeginBatch
  /** How many transactions of deliveries at a time are fastest. */
  readonly deliveryTransactions: number
  /** For what the Backend API showed: there can be a million rows of it. */
  readonly beginRepairs: BeginBatch
  /** For keeping the books of handlers' runs: their leases must not wait for the handlers' own queries. */
  readonly bookkeeping: Kysely<ClerkTables>
  /**
   * Begins a transaction for code that is not ours. What it leaves unfinished, the database ends by itself.
   * @param timeoutMs the longest that a statement may run, or the transaction be idle
   */
  begin(timeoutMs: number): Promise<OpenTransaction>
  /** For libraries that bring their own driver. */
  readonly source: DatabaseSource
  close(): Promise<void>
}

/** What a library needs to reach the same database. */
type DatabaseSource =
  | { readonly kind: 'postgres'; readonly config: PoolConfig }
  | { readonly kind: 'embedded'; readonly open: () => Promise<PGlite> }

/** How long a connection may take, so that a database which is down is noticed within the two seconds of a refusal. */
export const CONNECT_TIMEOUT_MS = 1_500
/**
 * How many transactions of deliveries run at the same time. While Postgres works on one, the next is written; more of them
 * would be smaller, and none faster.
 */
const DELIVERY_TRANSACTIONS = 3
/** Others may replace those that are still being given up. */
const DELIVERY_CONNECTIONS = DELIVERY_TRANSACTIONS + 2
/** One writes while another reads what comes next. */
const REPAIR_CONNECTIONS = 2
/** One claims while another writes down what ended. */
const BOOKKEEPING_CONNECTIONS = 2
/** A connection for bookkeeping that is silent for longer is dead: no statement there takes seconds. */
const SILENCE_MS = 13_000

export function openDatabase(address: DatabaseAddress, schema: string): Database {
  if (typeof address !== 'string') return openPostgres(readAddress(address), schema)
  if (/^postgres(ql)?:\/\//.test(address))
    return openPostgres(readAddress({ connectionString: address }), schema)
  if (address !== IN_MEMORY && /^\w+:\/\//.test(address)) throw unknownAddress(address)
  if (address !== IN_MEMORY && MISTAKEN.test(address)) throw mistakenAddress()
  return openFolder(address === IN_MEMORY ? address : resolve(address), schema)
}

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

function openPostgres(config: PoolConfig, schema: string): Database {
  const pool = once(() => createPool(config))
  const queries = postgresKysely(pool.get, schema)
  const deliveries = once(() => createPipelinedPool(config, DELIVERY_CONNECTIONS))
  const repairs = once(() => createPipelinedPool(config, REPAIR_CONNECTIONS))
  const bookkeeping = postgresKysely(() => createAttendedPool(config, BOOKKEEPING_CONNECTIONS), schema)
  return {
    kind: 'postgres',
    location: describePostgres(config),
    schema,
    queries,
    beginDeliveries: batchesOnPostgres(deliveries.get),
    deliveryTransactions: DELIVERY_TRANSACTIONS,
    beginRepairs: batchesOnPostgres(repairs.get),
    bookkeeping,
    begin: async (timeoutMs) => beginOnPostgres(await pool.get(), timeoutMs),
    source: { kind: 'postgres', config },
    close: async () => {
      await Promise.all([queries, bookkeeping].map((each) => each.destroy()))
      await Promise.all([deliveries, repairs].map(async (each) => (await each.made())?.end()))
    },
  }
}

function postgresKysely(pool: () => Promise<PostgresPool>, schema: string): Kysely<ClerkTables> {
  const dialect = new PostgresDialect({ pool })
  return new Kysely<ClerkTables>({ dialect: withinSchema(dialect, schema) }).withSchema(schema)
}

interface Once<Value> {
  get(): Promise<Value>
  /** What was made, if it was. */
  made(): Promise<Value | undefined>
}

function once<Value>(create: () => Promise<Value>): Once<Value> {
  let created: Promise<Value> | undefined
  return {
    get: () => (created ??= create()),
    made: async () => created,
  }
}

async function createPool(config: PoolConfig): Promise<Pool> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'clerk-sync',
    ...config,
    types: withNumbers(config.types ?? pg.types),
  })
  // A connection that is lost tells so twice: the query in flight fails, and an error is emitted, which would end the
  // process if nobody heard it. Idle connections emit it through the pool. Either way the pool replaces the connection.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** `bigint` comes as text from `pg`, because JavaScript is exact only up to 2^53. Nothing here is beyond. */
function withNumbers(types: CustomTypesConfig): CustomTypesConfig {
  const getTypeParser = (oid: number, format?: 'text' | 'binary') =>
    oid === BIGINT ? Number : types.getTypeParser(oid, format as 'text')
  return { getTypeParser } as CustomTypesConfig
}

const BIGINT = 20

/** For statements that are sent without waiting for the answer to the one before. */
async function createPipelinedPool(config: PoolConfig, max: number): Promise<Pool> {
  const pool = await createPool({ ...config, max, min: 0, pipeline: true })
  pool.on('connect', (client) => {
    const stream = streamOf(client)
    stream.on?.('timeout', () => stream.destroy?.())
  })
  return pool
}

/**
 * When a network or a pooler drops a connection without a word, the query in flight waits until the system gives up,
 * which takes 15 minutes or more. A few of those would leave no connection.
 */
async function createAttendedPool(config: PoolConfig, max: number): Promise<Pool> {
  const pool = await createPool({ ...config, max, min: 0, pipeline: true })
  pool.on('connect', (client) => {
    const stream = streamOf(client)
    stream.setTimeout?.(SILENCE_MS, () => stream.destroy?.())
  })
  return pool
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

function openFolder(folder: string, schema: string): Database {
  let handle: Promise<EmbeddedHandle> | undefined
  let isClosed = false
  const open = async () => {
    if (isClosed) throw new ClerkSyncError('shutting_down')
    handle ??= openEmbedded(folder).catch((error) => {
      handle = undefined
      throw error
    })
    return (await handle).pglite
  }
  const dialect = withinSchema(new PGliteDialect({ pglite: open }), schema)
  const kysely = new Kysely<ClerkTables>({ dialect }).withSchema(schema)
  const beginBatch = batchesOnPGlite(open)
  return {
    kind: 'embedded',
    location: folder,
    schema,
    queries: kysely,
    beginDeliveries: beginBatch,
    // It has one connection: more transactions at a time would only be smaller ones.
    deliveryTransactions: 1,
    beginRepairs: beginBatch,
    bookkeeping: kysely,
    begin: async (timeoutMs) => beginOnPGlite(await open(), timeoutMs),
    source: { kind: 'embedded', open },
    // Not kysely.destroy(): that would close the instance under others in this process who share it.
    close: async () => {
      isClosed = true
      await (await handle?.catch(() => undefined))?.close()
    },
  }
}
