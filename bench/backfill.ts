/**
 * The backfill of a million users from a simulated Backend API without its rate limit, beside `COPY` of the same rows
 * into equal tables, and beside the backfill of @supabase/stripe-sync-engine on as many customers of the same size.
 *
 * node bench/backfill.ts [--users 1000000] [--peer-users 100000] [--json]
 *
 * Needs a superuser of a Postgres on this machine: BENCH_DATABASE_URL. The peer is measured if it is installed.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { createClerkSync } from '../src/index.ts'
import { createSigningSecret } from '../src/testing/index.ts'
import { startSyntheticBackendApi, syntheticUser } from './synthetic-users.ts'

const DATABASE_URL =
  process.env.BENCH_DATABASE_URL || process.env.TEST_DATABASE_URL || 'postgres://postgres@127.0.0.1:5432/test'

const SCHEMA = `bench_backfill_${process.pid}`
/** What a backfill of users fills. */
const TABLES = ['users', 'email_addresses']
/** The peer's migrations name its schema. */
const PEER_SCHEMA = 'stripe'
const MIB = 2 ** 20

interface Address {
  readonly url: string
  readonly secretKey: string
}

interface Measured {
  readonly rowsPerSecond: number
  /** Microseconds of this process's own time for each row. */
  readonly cpu: number
  /** The memory of this process after each tenth, in MiB. */
  readonly rssMiB: readonly number[]
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '1000000' },
      'peer-users': { type: 'string', default: '100000' },
      json: { type: 'boolean', default: false },
    },
  })
  const [users, peerUsers] = [Number(values.users), Number(values['peer-users'])]
  const client = new pg.Client({ connectionString: DATABASE_URL })
  await client.connect()
  try {
    const ours = await measureBackfill(client, users)
    const copy = await measureCopy(client, users)
    const peer = await measurePeer(client, peerUsers)
    const report = { users, ours, copy, ratio: ours.rowsPerSecond / copy, peerUsers, peer }
    console.log(values.json ? JSON.stringify(report, null, 2) : toText(report))
  } finally {
    await client.query(`drop schema if exists ${SCHEMA} cascade`)
    await client.end()
  }
}

async function measureBackfill(client: pg.Client, users: number): Promise<Measured> {
  const { child, address } = await serve('clerk', users)
  const sync = createClerkSync({
    database: DATABASE_URL,
    schema: SCHEMA,
    signingSecret: createSigningSecret(),
    secretKey: address.secretKey,
    apiUrl: address.url,
    apiRateLimit: Number.POSITIVE_INFINITY,
  })
  try {
    await sync.migrate()
    await client.query('checkpoint')
    const meter = new Meter(users)
    const { status } = await sync.backfill({
      resources: ['users'],
      onProgress: ({ resources }) => meter.note(resources.users?.listed ?? 0),
    })
    const measured = meter.end()
    const found = await client.query(`select count(*)::int as rows from ${SCHEMA}.users`)
    if (status !== 'complete' || found.rows[0].rows !== users) {
      throw new Error(`the backfill is ${status}, with ${found.rows[0].rows} of ${users} users`)
    }
    return measured
  } finally {
    await sync.close()
    child.disconnect()
  }
}

/** Counts only the reading in: the files are written before. Equal means also indexes and storage. */
async function measureCopy(client: pg.Client, users: number): Promise<number> {
  for (const table of TABLES) {
    await client.query(`copy ${SCHEMA}.${table} to '${fileOf(table)}'`)
    const { rows } = await client.query(
      `select array_to_string(reloptions, ', ') as options from pg_class where oid = '${SCHEMA}.${table}'::regclass`,
    )
    const storage = rows[0].options ? `with (${rows[0].options})` : ''
    await client.query(
      `create table ${SCHEMA}.${table}_copy (like ${SCHEMA}.${table} including all) ${storage}`,
    )
  }
  await client.query('checkpoint')
  const startedAt = performance.now()
  for (const table of TABLES) await client.query(`copy ${SCHEMA}.${table}_copy from '${fileOf(table)}'`)
  const seconds = (performance.now() - startedAt) / 1000
  // Only the server may remove what it has written.
  for (const table of TABLES)
    await client.query(`copy (select 1) to program 'cat > /dev/null; rm ${fileOf(table)}'`)
  return users / seconds
}

function fileOf(table: string): string {
  return `/tmp/${SCHEMA}_${table}.copy`
}

type Peer = typeof import('@supabase/stripe-sync-engine')

/** Its own customers, padded to the size of our users. It reads 100 at a time, as Stripe allows, and writes 250. */
async function measurePeer(client: pg.Client, customers: number): Promise<Measured | string> {
  const require = createRequire(import.meta.url)
  let peer: Peer
  try {
    // Its ES module cannot find its migrations.
    peer = require('@supabase/stripe-sync-engine') as Peer
  } catch {
    return 'not installed'
  }
  const exists = await client.query(`select to_regnamespace('${PEER_SCHEMA}') as schema`)
  if (exists.rows[0].schema) return `not measured: the database has a schema "${PEER_SCHEMA}" already`
  const { child, address } = await serve('stripe', customers)
  await peer.runMigrations({ databaseUrl: DATABASE_URL, schema: PEER_SCHEMA })
  const sync = new peer.StripeSync({
    poolConfig: { connectionString: DATABASE_URL, max: 10 },
    schema: PEER_SCHEMA,
    stripeSecretKey: address.secretKey,
    stripeWebhookSecret: 'whsec_unused',
  })
  try {
    const Stripe = require('stripe')
    const { hostname: host, port } = new URL(address.url)
    // It has no option for another address than Stripe's.
    Object.assign(sync, { stripe: new Stripe(address.secretKey, { host, port, protocol: 'http' }) })
    await client.query('checkpoint')
    const meter = new Meter(customers)
    await sync.syncCustomers()
    return meter.end()
  } finally {
    child.disconnect()
    await sync.close?.()
    await client.query(`drop schema if exists ${PEER_SCHEMA} cascade`)
  }
}

class Meter {
  readonly #rows: number
  readonly #startedAt = performance.now()
  readonly #cpu = process.cpuUsage()
  readonly #rssMiB: number[] = []

  constructor(rows: number) {
    this.#rows = rows
  }

  note(rows: number): void {
    if (rows >= ((this.#rssMiB.length + 1) * this.#rows) / 10)
      this.#rssMiB.push(process.memoryUsage().rss / MIB)
  }

  end(): Measured {
    const { user, system } = process.cpuUsage(this.#cpu)
    const seconds = (performance.now() - this.#startedAt) / 1000
    return { rowsPerSecond: this.#rows / seconds, cpu: (user + system) / this.#rows, rssMiB: this.#rssMiB }
  }
}

function toText({
  users,
  ours,
  copy,
  ratio,
  peerUsers,
  peer,
}: {
  readonly users: number
  readonly ours: Measured
  readonly copy: number
  readonly ratio: number
  readonly peerUsers: number
  readonly peer: Measured | string
}): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en')
  const lines = [
    `clerk-sync, ${whole(users)} users: ${whole(ours.rowsPerSecond)} rows/s, ${ours.cpu.toFixed(0)} µs of the process per row`,
    `COPY of the same rows: ${whole(copy)} rows/s; ratio ${ratio.toFixed(2)} (aim ≥ 0.5) ${ratio >= 0.5 ? 'reached' : 'missed'}`,
    `memory after each tenth, MiB: ${ours.rssMiB.map(whole).join(' ')}`,
  ]
  const peerText =
    typeof peer === 'string' ? peer : `${whole(peer.rowsPerSecond)} rows/s, ${peer.cpu.toFixed(0)} µs per row`
  return [...lines, `@supabase/stripe-sync-engine, ${whole(peerUsers)} customers: ${peerText}`].join('\n')
}

/** Starts an API in a process of its own. It ends when this one lets go of it. */
async function serve(
  what: 'clerk' | 'stripe',
  count: number,
): Promise<{ child: ChildProcess; address: Address }> {
  const child = fork(import.meta.filename, ['serve', what, String(count)])
  const [address] = (await once(child, 'message')) as [Address]
  return { child, address }
}

async function serveHere(what: string, count: number): Promise<void> {
  process.once('disconnect', () => process.exit())
  process.send?.(await (what === 'clerk' ? serveClerk(count) : serveStripe(count)))
}

async function serveClerk(count: number): Promise<Address> {
  const { url, secretKey } = await startSyntheticBackendApi(count)
  return { url, secretKey }
}

/** Answers nothing but the list of customers. */
async function serveStripe(count: number): Promise<Address> {
  const size = JSON.stringify(syntheticUser(0)).length
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://stripe')
    const cursor = searchParams.get('starting_after')
    const first = cursor === null ? 0 : Number(cursor.slice('cus_'.length)) + 1
    const end = Math.min(count, first + Number(searchParams.get('limit') ?? 10))
    const data = Array.from({ length: end - first }, (_, place) => customer(first + place, size))
    const page = { object: 'list', url: '/v1/customers', has_more: end < count, data }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secretKey: 'sk_test_bench' }
}

function customer(index: number, size: number): object {
  const id = `cus_${String(index).padStart(14, '0')}`
  const fields = { id, object: 'customer', created: 1_700_000_000 + index, email: `${index}@example.com` }
  const rest = {
    name: `Customer ${index}`,
    livemode: false,
    invoice_prefix: 'X',
    balance: 0,
    currency: 'usd',
  }
  const padding = 'x'.repeat(Math.max(0, size - JSON.stringify({ ...fields, ...rest }).length - 30))
  return { ...fields, ...rest, metadata: { padding } }
}

const [mode, what = '', count = ''] = process.argv.slice(2)
await (mode === 'serve' ? serveHere(what, Number(count)) : main())
