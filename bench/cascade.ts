/**
 * The deletion of an organization with a million memberships, beside other deliveries. `npm run cascade --prefix bench`
 *
 * Its server is killed (SIGKILL) when a third is done, and another one goes on. `-- --memberships 100000` is a shorter one.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { createSigningSecret, signDelivery } from '../src/testing/index.ts'
import { createDatabase } from './database.ts'
import { quantile } from './report.ts'

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const { values } = parseArgs({ options: { memberships: { type: 'string', default: '1000000' } } })
const MEMBERSHIPS = Number(values.memberships)
const SECRET = createSigningSecret()
const ACKNOWLEDGED_WITHIN_MS = 2_000
/** Every other delivery waits for its answer, and the next one a little. */
const PAUSE_MS = 10
const NOW = Date.now()

class Server {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(databaseUrl: string): Promise<Server> {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, DATABASE_URL: databaseUrl, CLERK_WEBHOOK_SIGNING_SECRET: SECRET, PORT: '0' }
    const child = spawn(process.execPath, [MAIN, 'start', '--no-dashboard'], {
      cwd: tmpdir(),
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for (let output = ''; ; ) {
      const [chunk] = await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')
      output += String(chunk)
      const url = /ready webhooks=(\S+)/.exec(output)?.[1]
      if (url) return new Server(child, url)
    }
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }

  /** The time until it is acknowledged, sent again as Svix does. */
  async deliver(type: string, data: object, timestamp = NOW): Promise<number> {
    const startedAt = performance.now()
    const signed = signDelivery({ type, data, timestamp, object: 'event' }, { secret: SECRET })
    for (;;) {
      const { status } = await fetch(this.url, { method: 'POST', ...signed }).catch(() => ({ status: 0 }))
      if (status === 200) return performance.now() - startedAt
      await sleep(50)
    }
  }
}

async function main(): Promise<void> {
  await using database = await createDatabase()
  const first = await Server.start(database.url)
  await first.deliver('organization.created', { id: 'org_huge', name: 'Huge', slug: 'huge', updated_at: NOW })
  await first.deliver('organizationMembership.created', membership('orgmem_0'))
  await multiply(database.client)
  const before = await others(first, () => false, 200)
  const acknowledged = await first.deliver(
    'organization.deleted',
    { id: 'org_huge', deleted: true },
    NOW + 10,
  )
  const startedAt = performance.now()
  const beside = await others(first, async () => (await left(database.client)) < (2 / 3) * MEMBERSHIPS)
  await first.stop('SIGKILL')
  const second = await Server.start(database.url)
  beside.push(...(await others(second, async () => (await left(database.client)) === 0)))
  const seconds = (performance.now() - startedAt) / 1_000
  await second.stop('SIGTERM')
  console.log(`${MEMBERSHIPS.toLocaleString('en')} memberships, one kill -9 on the way`)
  console.log(
    `deletion acknowledged after ${Math.round(acknowledged)} ms (at most ${ACKNOWLEDGED_WITHIN_MS})`,
  )
  console.log(`all of them deleted after ${seconds.toFixed(1)} s`)
  console.log(`others before: ${summary(before)}`)
  console.log(`others beside: ${summary(beside)}`)
  if (acknowledged > ACKNOWLEDGED_WITHIN_MS) process.exitCode = 1
}

/** One delivery after the other. */
async function others(
  server: Server,
  isOver: () => boolean | Promise<boolean>,
  most = Number.POSITIVE_INFINITY,
): Promise<number[]> {
  const times: number[] = []
  let isDone = false
  const watching = (async () => {
    while (!isDone && !(await isOver())) await sleep(300)
    isDone = true
  })()
  while (!isDone && times.length < most) {
    const id = `user_${crypto.randomUUID()}`
    times.push(await server.deliver('user.created', { id, first_name: 'Ada', updated_at: NOW }))
    await sleep(PAUSE_MS)
  }
  isDone = true
  await watching
  return times
}

function summary(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(sorted, share).toFixed(1))
  return `${times.length} deliveries, p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`
}

function membership(id: string) {
  return {
    id,
    role: 'org:member',
    organization: { id: 'org_huge', name: 'Huge', slug: 'huge', updated_at: NOW },
    public_user_data: { user_id: 'user_0', identifier: 'ada@example.com' },
    permissions: ['org:sys_memberships:read'],
    public_metadata: {},
    updated_at: NOW,
  }
}

async function multiply(client: pg.Client): Promise<void> {
  const { rows } = await client.query(`
    select string_agg(quote_ident(column_name), ', ') as columns from information_schema.columns
    where table_schema = 'clerk' and table_name = 'organization_memberships' and column_name not in ('id', 'user_id')
      and is_generated = 'NEVER'`)
  const { columns } = rows[0] as { columns: string }
  await client.query(`
    insert into clerk.organization_memberships (id, user_id, ${columns})
    select 'orgmem_' || number, 'user_' || number, ${columns}
    from clerk.organization_memberships, generate_series(1, ${MEMBERSHIPS - 1}) as number where id = 'orgmem_0'`)
  await client.query('vacuum analyze clerk.organization_memberships')
}

/** By what the job has counted: to count the rows would cost the server more than the job does. */
async function left(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`
    select (select count(*) from clerk.pending_cascades)::integer as pending,
      (select coalesce(sum((progress->>'deleted')::integer), 0) from clerk.jobs where kind = 'cascade')::integer as deleted`)
  const { pending, deleted } = rows[0] as { pending: number; deleted: number }
  return pending === 0 ? 0 : MEMBERSHIPS - deleted
}

await main()
