/**
 * How fast the dashboard answers over millions: fills a schema of its own with events, users, runs and minutes, asks every
 * list and chart again and again, and prints the 95th percentile of each.
 *
 *     DATABASE_URL=postgres://… npm run dashboard --prefix bench -- [events] [users]
 *
 * The schema `clerk_dashboard_bench` stays for the next run; drop it by hand.
 */

import { performance } from 'node:perf_hooks'
import { CompiledQuery } from 'kysely'
import { createDashboardHandler } from '../src/dashboard/index.ts'
import { type ClerkSync, createClerkSync } from '../src/index.ts'
import { createSigningSecret } from '../src/testing/sign.ts'

const EVENTS = Number(process.argv[2] ?? 5_000_000)
const USERS = Number(process.argv[3] ?? 1_000_000)
const ROUNDS = 40
const TARGET_MS = 300
const SCHEMA = 'clerk_dashboard_bench'
/** The events are spread over so many days. */
const DAYS = 14
const CHUNK = 250_000

const database = process.env.DATABASE_URL
if (database === undefined) throw new Error('Set DATABASE_URL to a Postgres that may be filled.')
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const sync = createClerkSync({ database, schema: SCHEMA, signingSecret: createSigningSecret(), log: silent })
await sync.migrate()
await fill(sync)
await measure(sync)
await sync.close()

async function fill({ database: db }: ClerkSync): Promise<void> {
  const run = (text: string) =>
    db.executeQuery<{ count: number }>(CompiledQuery.raw(text.replaceAll('clerk.', `${SCHEMA}.`)))
  const { rows } = await run(
    `select count(*)::integer as count from (select 1 from clerk.events limit ${EVENTS}) as e`,
  )
  if ((rows[0]?.count ?? 0) >= EVENTS) return
  const startedAt = performance.now()
  for (let from = 0; from < USERS; from += CHUNK) {
    await run(`
      insert into clerk.users (id, first_name, primary_email_address, username, raw, clerk_created_at, clerk_updated_at,
        observed_at, deleted_at)
      select 'user_' || lpad(n::text, 22, '0'), 'Ada ' || n, 'ada' || n || '@example.com', 'ada' || n,
        json_build_object('id', n, 'first_name', 'Ada ' || n, 'filler', repeat('x', 500)), now(), now(), now(),
        case when n % 50 = 0 then now() end
      from generate_series(${from + 1}, ${Math.min(from + CHUNK, USERS)}) as n on conflict do nothing`)
  }
  for (let from = 0; from < EVENTS; from += CHUNK) {
    const to = Math.min(from + CHUNK, EVENTS)
    await run(`
      insert into clerk.events (id, type, resource, resource_id, occurred_at, received_at, outcome, body_sha256)
      select 'msg_' || lpad(n::text, 24, '0'),
        case when n % 1000 = 0 then 'organization.deleted' when n % 10 = 0 then 'user.created' else 'user.updated' end,
        case when n % 1000 = 0 then 'organizations' else 'users' end,
        'user_' || lpad((n % ${USERS} + 1)::text, 22, '0'), at - interval '200 milliseconds', at,
        case when n % 5000 = 0 then 'failed' when n % 100 = 0 then 'stale' else 'applied' end,
        decode(md5(n::text), 'hex')
      from generate_series(${from + 1}, ${to}) as n
      cross join lateral (
        select now() - make_interval(secs => (${EVENTS} - n)::float8 * ${DAYS * 86_400} / ${EVENTS}) as at
      ) as moment on conflict do nothing`)
    console.error(`${to.toLocaleString('en')} events`)
  }
  await run(`
    insert into clerk.handler_runs (event_id, handler, status, attempts, occurred_at, created_at, error, fingerprint)
    select id, 'syncCrm', case when right(id, 2) = '00' then 'dead' when right(id, 2) = '10' then 'retrying' else 'succeeded' end,
      3, occurred_at, received_at, 'connect ECONNREFUSED 10.0.3.7:443', 'f' || right(id, 4)::integer % 7
    from clerk.events where type = 'user.created' on conflict do nothing`)
  await run(`
    insert into clerk.event_minutes (minute, backend, outcome, lag_step, events)
    select date_trunc('minute', received_at), hashtext(id) & 15, outcome, 10 + (hashtext(id) >> 4 & 15), count(*)
    from clerk.events group by 1, 2, 3, 4 on conflict do nothing`)
  const addingAt = performance.now()
  await sync.maintain()
  console.error(`minutes added up and removed in ${Math.round(performance.now() - addingAt)} ms`)
  for (const table of ['users', 'events', 'handler_runs', 'event_minutes', 'event_spans'])
    await run(`vacuum analyze clerk.${table}`)
  console.error(`filled in ${Math.round((performance.now() - startedAt) / 1_000)} s`)
}

async function measure(opened: ClerkSync): Promise<void> {
  const handler = createDashboardHandler(opened)
  const last = `msg_${String(EVENTS).padStart(24, '0')}`
  const user = `user_${String(USERS).padStart(22, '0')}`
  const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  const cursor = Buffer.from(JSON.stringify([ago(24 * 7), last])).toString('base64url')
  const paths = [
    'overview',
    `traffic?since=${ago(1)}`,
    `traffic?since=${ago(24)}`,
    `traffic?since=${ago(24 * 7)}`,
    'events',
    `events?cursor=${cursor}`,
    'events?type=user.*',
    'events?type=organization.deleted',
    'events?type=permission.created',
    'events?outcome=failed',
    'events?outcome=stale&type=user.updated',
    `events?resourceId=${user}`,
    'events?handler=syncCrm',
    'events?handler=syncCrm&run=dead&type=user.created',
    'events?run=failing',
    `events?since=${ago(24)}&until=${ago(12)}`,
    'events/count',
    'events/count?type=user.updated',
    'events/count?outcome=failed',
    'events/count?run=failing',
    'events/count?run=failing&type=user.created',
    'events/count?handler=syncCrm',
    `events/${last}`,
    'resources',
    'resources/users',
    `resources/users?q=ada${USERS - 1}@example.com`,
    `resources/users/${user}`,
    `resources/users/${user}/history`,
    `search?q=ada${USERS - 1}@example.com`,
    `search?q=${last}`,
    'failures',
    'failures/runs?handler=syncCrm&fingerprint=f3',
    'handlers',
    'rejected',
    'jobs',
    'audit',
  ]
  let isSlow = false
  console.log(`${EVENTS.toLocaleString('en')} events, ${USERS.toLocaleString('en')} users, ${ROUNDS} rounds`)
  for (const path of paths) {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now()
      const response = await handler(new Request(`http://localhost/dashboard/api/${path}`))
      const text = await response.text()
      times.push(performance.now() - startedAt)
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`)
    }
    times.sort((a, b) => a - b)
    const [p50, p95] = [0.5, 0.95].map((share) => times[Math.ceil(share * ROUNDS) - 1] as number)
    const isOver = (p95 as number) > TARGET_MS
    isSlow ||= isOver
    const name = path
      .replace(/\d{4}-[\dT:.Z-]+/g, '…')
      .slice(0, 60)
      .padEnd(60)
    console.log(
      `${name} p50 ${p50?.toFixed(1).padStart(7)} ms   p95 ${p95?.toFixed(1).padStart(7)} ms${isOver ? '   SLOW' : ''}`,
    )
  }
  if (isSlow) process.exitCode = 3
}
