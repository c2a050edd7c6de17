/**
 * Deliveries while a month of a large ledger is forgotten, beside deliveries before. `npm run retention`
 *
 * Postgres makes the past: ids as long and as sorted as real ones, bodies of the workload with other ids in them, compressed in
 * place. Each round forgets the oldest month that is left.
 *
 * Twenty million take a while and 40 GB: `--database ledger --fill` fills a month of a database that is kept, and is called until
 * it says that all are filled; `--database ledger` then measures, and forgets.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { createClerkSync } from '../src/index.ts'
import { readValue } from './database.ts'
import { newUsers } from './load/events.ts'
import { machineLines } from './machine.ts'
import { readOptions } from './options.ts'
import { progress, table, whole } from './report.ts'
import { type Run, type Served, Session } from './session.ts'

const EVENTS = 20_000_000
const MONTHS = 12
const REQUESTS_PER_SECOND = 12_000
const DAY_MS = 86_400_000
const AT_MOST = 1.2

interface Round {
  readonly before: Run
  readonly meanwhile: Run
  readonly rows: number
  readonly bytes: number
  readonly seconds: number
}

async function main(): Promise<void> {
  const options = readOptions({ seconds: 6, rounds: 3 })
  const events = options.events ?? (options.short ? EVENTS / 10 : EVENTS)
  const report = await Session.run(async (session) => {
    const served = await session.serve('ours')
    await session.client.query(`select set_config('search_path', $1, false)`, [served.schema])
    const months = lastMonths()
    await fill(session.client, months, Math.floor(events / MONTHS), options.fill)
    const filled = `${whole(events)} events in ${MONTHS} months; ${await sizes(session.client)}`
    progress(filled)
    const rounds: Round[] = []
    for (const month of options.fill
      ? []
      : (await monthsLeft(session.client, months)).slice(0, options.rounds)) {
      rounds.push(await playRound(session, served, month, options.seconds))
    }
    return { machine: session.machine, filled, rounds }
  }, options.database)
  if (!options.fill) console.log(options.json ? JSON.stringify(report, null, 2) : toText(report))
}

/** Those that are not filled yet; one of them only, where calls have to be short. */
async function fill(
  client: pg.Client,
  months: readonly Month[],
  events: number,
  isOne: boolean,
): Promise<void> {
  const open = []
  for (const month of months) if (!(await exists(client, leafOf(month)))) open.push(month)
  for (const month of isOne ? open.slice(0, 1) : open) await fillMonth(client, month, events)
  if (open.length === 0 || isOne) return
  for (const name of ['events', 'event_bodies']) await client.query(`vacuum (analyze) ${name}`)
}

function exists(client: pg.Client, leaf: string): Promise<boolean> {
  return readValue(client, `select to_regclass('${leaf}') is not null`)
}

async function monthsLeft(client: pg.Client, months: readonly Month[]): Promise<Month[]> {
  const left = []
  for (const month of months) {
    if (await readValue<boolean>(client, `select pg_relation_size('${leafOf(month)}') > 0`)) left.push(month)
  }
  return left
}

interface Month {
  readonly from: Date
  readonly until: Date
}

/** Whole months before the current one, the oldest first. */
function lastMonths(): Month[] {
  const now = new Date()
  const first = (back: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1))
  return Array.from({ length: MONTHS }, (_, index) => ({
    from: first(MONTHS - index),
    until: first(MONTHS - index - 1),
  }))
}

function leafOf({ from, until }: Month): string {
  const stamp = (day: Date) => day.toISOString().slice(0, 10).replaceAll('-', '')
  return `event_bodies_${stamp(from)}_${stamp(until)}`
}

async function fillMonth(client: pg.Client, month: Month, events: number): Promise<void> {
  const { from, until } = month
  const leaf = leafOf(month)
  await client.query('begin')
  await client.query(`create table ${leaf} (like event_bodies including all) with (toast_tuple_target = 512)`)
  await client.query(`alter table ${leaf} alter column body set compression lz4`)
  await client.query(
    `alter table event_bodies attach partition ${leaf} for values from ('${from.toISOString()}') to ('${until.toISOString()}')`,
  )
  const { subject, body } = newUsers().next().value
  const stepMs = Math.floor((until.getTime() - from.getTime()) / (events + 1))
  await client.query(PAST, [from.toISOString(), stepMs, events, body, subject])
  await client.query('commit')
  progress(`${leaf}: ${whole(events)} events`)
}

const key = `('2' || to_char(at, 'YYMMDDHH24MISSMS') || substr(md5(serial::text), 1, 12))`

const PAST = `
  with past as materialized (
    select serial, $1::timestamptz(3) + serial * $2::float8 * interval '1 millisecond' as at from generate_series(1, $3::int) as serial
  ), bodies as (
    insert into event_bodies (event_id, filed_at, body)
    select 'msg_' || ${key}, at, convert_to(replace($4::text, substr($5::text, 6), ${key}), 'UTF8') from past
  )
  insert into events (id, type, resource, resource_id, occurred_at, received_at, outcome, body_sha256)
  select 'msg_' || ${key}, 'user.updated', 'users', 'user_' || ${key}, at, at, 'applied', sha256(${key}::bytea) from past`

function sizes(client: pg.Client): Promise<string> {
  return readValue(
    client,
    `select format('bodies %s, ids %s',
       pg_size_pretty(sum(pg_total_relation_size(relid)) filter (where relid::regclass::text like 'event_bodies%')),
       pg_size_pretty(sum(pg_total_relation_size(relid)) filter (where relid = 'events'::regclass)))
     from pg_stat_user_tables`,
  )
}

async function playRound(
  session: Session,
  served: Served,
  { until }: Month,
  seconds: number,
): Promise<Round> {
  const load = { connections: 64, seconds, requests: seconds * REQUESTS_PER_SECOND }
  await session.generator.ask('open', { name: 'created' })
  const before = await session.load(served, load)
  // The cutoff is a little after the end of the month.
  const eventBodies = (Date.now() - until.getTime()) / DAY_MS - 0.5
  const database = await readValue<string>(session.client, `select current_database()`)
  const url = new URL(process.env.BENCH_DATABASE_URL || 'postgres://postgres@127.0.0.1:5432/postgres')
  url.pathname = database
  await using sync = createClerkSync({
    database: url.href,
    schema: served.schema,
    retention: { eventBodies },
  })
  const maintained = sleep(1_000).then(async () => {
    const startedAt = performance.now()
    const result = await sync.maintain()
    return { result, seconds: (performance.now() - startedAt) / 1_000 }
  })
  const meanwhile = await session.load(served, load)
  const { result, seconds: took } = await maintained
  const { rows = 0, bytes = 0 } = result?.forgotten.eventBodies ?? {}
  progress(`p99 ${before.p99.toFixed(1)} ms before, ${meanwhile.p99.toFixed(1)} ms meanwhile`)
  return { before, meanwhile, rows, bytes, seconds: took }
}

interface Report {
  readonly machine: Session['machine']
  readonly filled: string
  readonly rounds: readonly Round[]
}

function toText({ machine, filled, rounds }: Report): string {
  const lines = rounds.map(({ before, meanwhile, rows, bytes, seconds }) => [
    whole(rows),
    (bytes / 1024 ** 2).toFixed(0),
    seconds.toFixed(1),
    `${whole(before.perSecond)} / ${whole(meanwhile.perSecond)}`,
    `${before.p99.toFixed(1)} / ${meanwhile.p99.toFixed(1)}`,
  ])
  const median = (of: (round: Round) => number) =>
    rounds.map(of).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN
  const ratio = median(({ before, meanwhile }) => meanwhile.p99 / before.p99)
  return [
    ...machineLines(machine),
    filled,
    '',
    table(
      [
        'bodies forgotten',
        'MiB given back',
        's',
        'deliveries/s before / meanwhile',
        'p99 ms before / meanwhile',
      ],
      lines,
    ),
    '',
    `p99 meanwhile / before, median: ${ratio.toFixed(2)}; at most ${AT_MOST}: ${ratio <= AT_MOST ? 'reached' : 'missed'}`,
  ].join('\n')
}

await main()
