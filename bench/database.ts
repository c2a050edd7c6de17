/** The Postgres that everything is measured on, and the database there that a session has for itself. */

import pg from 'pg'

const DEFAULT_URL = 'postgres://postgres@127.0.0.1:5432/postgres'

/** Of a server, not of a database: what is measured gets a database of its own, which is dropped afterwards. */
const SERVER_URL = process.env.BENCH_DATABASE_URL || process.env.TEST_DATABASE_URL || DEFAULT_URL

export interface DatabaseFacts {
  readonly version: string
  readonly settings: Readonly<Record<string, string>>
  /** The median time of a transaction that does nothing but reach the disk, in milliseconds. */
  readonly commitMs: number
}

export interface OwnDatabase extends AsyncDisposable {
  readonly url: string
  readonly client: pg.Client
  readonly facts: DatabaseFacts
}

const SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'shared_buffers',
  'max_wal_size',
]

/**
 * Creates a database; disposing of it drops it, unless it has a name.
 * @throws if commits do not wait for the disk, because then the numbers would mean nothing
 */
export async function createDatabase(kept?: string): Promise<OwnDatabase> {
  const server = await connect(SERVER_URL)
  const name = kept ?? `clerk_sync_bench_${process.pid}`
  const { rowCount: exists } = await server.query('select from pg_database where datname = $1', [name])
  if (!exists) await server.query(`create database ${name}`)
  const url = new URL(SERVER_URL)
  url.pathname = name
  const client = await connect(url.href)
  const drop = async () => {
    await client.end()
    if (kept === undefined) await server.query(`drop database ${name} with (force)`)
    await server.end()
  }
  try {
    return { url: url.href, client, facts: await readFacts(client), [Symbol.asyncDispose]: drop }
  } catch (error) {
    await drop()
    throw error
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

async function readFacts(client: pg.Client): Promise<DatabaseFacts> {
  const settings: Record<string, string> = {}
  for (const name of SETTINGS) settings[name] = await show(client, name)
  if (settings.fsync !== 'on' || settings.synchronous_commit !== 'on') {
    throw new Error('This Postgres does not wait for its disk: set fsync and synchronous_commit to on.')
  }
  return { version: await show(client, 'server_version'), settings, commitMs: await commitTime(client) }
}

async function show(client: pg.Client, name: string): Promise<string> {
  const { rows } = await client.query<Record<string, string>>(`show ${name}`)
  return Object.values(rows[0] ?? {})[0] ?? ''
}

async function commitTime(client: pg.Client): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 200; count++) {
    const startedAt = performance.now()
    // The smallest thing that is written to the log without a table.
    await client.query(`select pg_logical_emit_message(true, 'bench', 'x')`)
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[100] as number
}

/** Empties the tables of a schema. */
export async function emptyTables(client: pg.Client, schema: string): Promise<void> {
  const tables = await tablesOf(client, schema)
  if (tables.length > 0) await client.query(`truncate ${tables}`)
}

/** Collects the planner's statistics. */
export async function analyze(client: pg.Client, schema: string): Promise<void> {
  const tables = await tablesOf(client, schema)
  if (tables.length > 0) await client.query(`analyze ${tables}`)
}

/** Qualified and quoted; without those that tell which migrations ran. */
async function tablesOf(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = $1 and tablename not like '%migrations%'`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

/** So that no run pays for what an earlier one has written. */
export async function checkpoint(client: pg.Client): Promise<void> {
  await client.query('checkpoint').catch((error) => {
    const lacksPrivilege = error instanceof pg.DatabaseError && error.code === '42501'
    if (!lacksPrivilege) throw error
  })
}

/** The value of a query with one row and one column. */
export async function readValue<Value>(
  client: pg.Client,
  text: string,
  parameters: unknown[] = [],
): Promise<Value> {
  const { rows } = await client.query<[Value]>({ text, values: parameters, rowMode: 'array' })
  return (rows[0] as [Value])[0]
}
