/**
 * The throughput of clerk-sync with a ledger of years beside an empty one. `npm run growth`
 *
 * The rows of the past are made by Postgres itself, with ids as long and as sorted as real ones. Bodies are those of the
 * workload with other ids in them, so they are as large as real ones and Postgres compresses them as well.
 */

import type pg from 'pg'
import { analyze, readValue } from './database.ts'
import { newUsers } from './load/events.ts'
import type { WorkloadName } from './load/generator.ts'
import { machineLines } from './machine.ts'
import { type Options, readOptions } from './options.ts'
import { type Aim, aimLine, progress, type Spread, spread, table, whole, wholeSpread } from './report.ts'
import { type Run, type Served, Session } from './session.ts'

const EVENTS = 5_000_000
const EVENTS_PER_USER = 5
/** Of the past's users, those that the mixed workload touches. */
const TOUCHED_USERS = 20_000
const REQUESTS_PER_SECOND = 12_000
const AT_LEAST = 0.8

interface Result {
  readonly workload: WorkloadName
  readonly empty: Costs
  readonly full: Costs
}

/** Of one delivery, but for the first. */
interface Costs {
  readonly perSecond: Spread
  readonly nodeCpu: Spread
  readonly postgresCpu: Spread
  readonly walBytes: Spread
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 6, rounds: 2 })
  const events = options.events ?? (options.short ? EVENTS / 10 : EVENTS)
  const report = await Session.run(async (session) => {
    const empty = await session.serve('ours')
    const full = await session.serve('ours')
    await fill(session.client, full.schema, events)
    const size = await sizeOf(session.client, full.schema)
    const bodies = await bodySizes(session.client)
    const results = []
    for (const workload of ['created', 'mixed'] as const) {
      results.push(await compare(session, { empty, full }, workload, options))
    }
    return { machine: session.machine, options, events, size, bodies, results, aims: results.map(aimOf) }
  })
  console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

/** For statements that name tables only. */
async function lookInto(client: pg.Client, schema: string): Promise<void> {
  await client.query(`select set_config('search_path', $1, false)`, [schema])
}

/** In one order, so that Postgres only ever appends to its indexes; then tidied up as an old database would be. */
async function fill(client: pg.Client, schema: string, events: number): Promise<void> {
  progress(`filling ${whole(events)} events of ${whole(events / EVENTS_PER_USER)} users`)
  await lookInto(client, schema)
  const { subject, body } = newUsers().next().value
  const data = JSON.stringify(JSON.parse(body).data)
  await client.query(pastUsers(await typeOf(client, 'users', 'raw')), [
    events / EVENTS_PER_USER,
    data,
    subject,
  ])
  await client.query(PAST_ADDRESSES)
  await client.query(PAST_EVENTS, [events, EVENTS_PER_USER, body, subject])
  for (const name of ['users', 'email_addresses', 'events']) await client.query(`vacuum (analyze) ${name}`)
}

/** A sorted part, as of the time in a real id, and chance. 27 characters in all. */
const key = (serial: string) =>
  `'2' || lpad(to_hex(${serial}), 8, '0') || substr(md5(${serial}::text), 1, 18)`

/** The column's type, to which text is cast. */
function typeOf(client: pg.Client, table: string, column: string): Promise<string> {
  const text = `select format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::regclass and attname = $2`
  return readValue(client, text, [table, column])
}

/** The key stands for the template's own everywhere: in its id and in those of what belongs to it. */
const likeTemplate = (template: string, id: string, key: string) =>
  `replace(${template}, substr(${id}, 6), ${key})`

const pastUsers = (rawType: string) => `
  insert into users (id, username, first_name, primary_email_address, public_metadata, raw, clerk_created_at,
    clerk_updated_at, observed_at, event_id)
  select 'user_' || key, lower(key), 'Ada', lower(key) || '@example.com', '{"plan": "pro"}',
    ${likeTemplate('$2::text', '$3::text', 'key')}::${rawType},
    at, at, at, 'msg_' || key
  from (
    select ${key('serial')} as key, now() - interval '1 year' + serial * interval '1 second' as at
    from generate_series(1, $1::int) as serial
  ) as past`

const PAST_ADDRESSES = `
  insert into email_addresses (user_id, id, email_address, verification_status)
  select id, 'idn_' || substr(id, 6), primary_email_address, 'verified' from users`

const PAST_EVENTS = `
  with past as (
    select serial, user_key, now() - interval '1 year' + serial * interval '5 seconds' as at,
      convert_to(${likeTemplate('$3::text', '$4::text', 'user_key')}, 'UTF8') as body
    from generate_series(1, $1::int) as serial,
      lateral (select ${key('(1 + (serial - 1) / $2::int)')} as user_key) as owner
  ), bodies as (
    insert into event_bodies (event_id, filed_at, body) select 'msg_' || ${key('serial')}, at, body from past
  )
  insert into events (id, type, resource, resource_id, occurred_at, received_at, outcome, body_sha256)
  select 'msg_' || ${key('serial')}, 'user.updated', 'users', 'user_' || user_key, at, at, 'applied', sha256(body) from past`

/** How large bodies are, as they came and as they are stored. */
function bodySizes(client: pg.Client): Promise<string> {
  const text = `
    select format('%s bytes, stored in %s', round(avg(octet_length(body))), round(avg(pg_column_size(body))))
    from (select body from event_bodies limit 1000) as sample`
  return readValue(client, text)
}

function sizeOf(client: pg.Client, schema: string): Promise<string> {
  const text = `
    select pg_size_pretty(sum(pg_total_relation_size(format('%I.%I', schemaname, tablename)::regclass)))
    from pg_tables where schemaname = $1`
  return readValue(client, text, [schema])
}

async function compare(
  session: Session,
  { empty, full }: { empty: Served; full: Served },
  workload: WorkloadName,
  options: Options,
): Promise<Result> {
  const runs: { empty: Run[]; full: Run[] } = { empty: [], full: [] }
  for (let round = 0; round <= options.rounds; round++) {
    const [connections = 64] = options.connections
    const load = { connections, seconds: options.seconds, requests: options.seconds * REQUESTS_PER_SECOND }
    const ofEmpty = await session.measure(empty, { ...load, workload })
    const ofFull = await measureFull(session, full, { ...load, workload })
    progress(
      `${workload}, round ${round}: ${whole(ofEmpty.perSecond)}/s empty, ${whole(ofFull.perSecond)}/s full`,
    )
    runs.empty.push(ofEmpty)
    runs.full.push(ofFull)
  }
  return { workload, empty: costsOf(runs.empty.slice(1)), full: costsOf(runs.full.slice(1)) }
}

function costsOf(runs: readonly Run[]): Costs {
  return {
    perSecond: spread(runs.map((run) => run.perSecond)),
    nodeCpu: spread(runs.map((run) => run.nodeCpu)),
    postgresCpu: spread(runs.map((run) => run.postgresCpu ?? Number.NaN)),
    walBytes: spread(runs.map((run) => run.walBytes)),
  }
}

/** The past stays; what the runs add to it is less than a hundredth. */
async function measureFull(
  session: Session,
  served: Served,
  options: Parameters<Session['measure']>[1],
): Promise<Run> {
  await lookInto(session.client, served.schema)
  await analyze(session.client, served.schema)
  const text = `select array_agg(id) from (select id from users where deleted_at is null order by random() limit $1) as touched`
  const users = await readValue<string[]>(session.client, text, [TOUCHED_USERS])
  await session.generator.ask('open', { name: options.workload, users })
  const run = await session.load(served, options)
  const found = await readValue<number>(
    session.client,
    `select count(*)::int from events where id = any($1) and outcome in ('applied', 'stale')`,
    [run.acknowledged.ids],
  )
  if (found !== run.acknowledged.ids.length) throw new Error(`only ${found} of the events are in the ledger`)
  return run
}

function aimOf({ workload, empty, full }: Result): Aim {
  return {
    name: `${workload}: full / empty`,
    value: full.perSecond.median / empty.perSecond.median,
    atLeast: AT_LEAST,
  }
}

interface Report {
  readonly machine: Session['machine']
  readonly options: Options
  readonly events: number
  readonly size: string
  readonly bodies: string
  readonly results: readonly Result[]
  readonly aims: readonly Aim[]
}

function toText({ machine, options, events, size, bodies, results, aims }: Report): string {
  const { rounds, seconds, connections } = options
  const method = `${connections} connections, ${rounds} rounds of ${seconds} s, median (min–max)`
  const past = `full: ${whole(events)} events of ${whole(events / EVENTS_PER_USER)} users, ${size}; a body: ${bodies}`
  const rows = results.flatMap(({ workload, empty, full }) => [
    rowOf(`${workload}, empty`, empty),
    rowOf(`${workload}, full`, full),
  ])
  const rates = table(['', 'deliveries/s', 'Node µs', 'Postgres µs', 'WAL bytes'], rows)
  return [...machineLines(machine), method, past, '', rates, '', ...aims.map(aimLine)].join('\n')
}

function rowOf(title: string, { perSecond, nodeCpu, postgresCpu, walBytes }: Costs): string[] {
  return [
    title,
    wholeSpread(perSecond),
    ...[nodeCpu, postgresCpu, walBytes].map(({ median }) => whole(median)),
  ]
}

await main()
