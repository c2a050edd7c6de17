/** Two instances in one database, a schema and a process each: neither waits for the other, whatever the other does. */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type ClerkSync, type ClerkSyncOptions, on } from '../../src/index.ts'
import {
  createSigningSecret,
  createSimulatedClerk,
  type SimulatedClerk,
  startBackendApi,
} from '../../src/testing/index.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'

const HANDLER = 'two-schemas'
/** The work takes about a second; what waits for the other schema would wait for ever. */
const LIMIT_MS = 30_000
/** Of the locks of families. */
const BUCKETS = 128

interface Shop {
  readonly clerk: SimulatedClerk
  readonly secret: string
  readonly sync: ClerkSync
  readonly heard: string[]
}

describeWithPostgres('two schemas in one database', (url) => {
  const [first, second] = [postgresDatabase(url), postgresDatabase(url)]

  async function open(database: typeof first, seed: number, options: ClerkSyncOptions = {}): Promise<Shop> {
    const clerk = createSimulatedClerk({ seed })
    for (let made = 0; made < 5; made++) clerk.act('createUser')
    const api = await startBackendApi(clerk, { rateLimit: null })
    onTestFinished(() => api.close())
    const secret = createSigningSecret()
    const heard: string[] = []
    const sync = await database.open({
      signingSecret: [{ secret, instanceId: clerk.instanceId }],
      secretKey: api.secretKey,
      apiUrl: api.url,
      apiRateLimit: Number.POSITIVE_INFINITY,
      handlers: [on('user.*', ({ event }) => void heard.push(event.type), { name: HANDLER })],
      ...options,
    })
    return { clerk, secret, sync, heard }
  }

  /** Everything that takes a lock or a lease. */
  async function work({ clerk, secret, sync }: Shop, round: string): Promise<void> {
    await sync.migrate()
    await sync.backfill()
    const events = [
      ...clerk.act('createOrganization'),
      ...clerk.act('createUser'),
      ...clerk.act('deleteOrganization'),
    ]
    await Promise.all(
      events.map((event, index) => deliver(sync, event, { id: `msg_${round}${index}`, secret })),
    )
    await sync.reconcile({ full: true })
    expect(await sync.maintain()).not.toBeNull()
    await sync.drain()
  }

  it('work goes on in one while every lock of the other is held', async () => {
    const [held, free] = [await open(first, 111), await open(second, 112)]
    const { schema } = held.sync.location
    const blocker = new pg.Client({ connectionString: url })
    await blocker.connect()
    onTestFinished(() => blocker.end())
    await blocker.query('begin')
    for (const name of ['migrations', 'partitions', HANDLER])
      await blocker.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${schema} ${name}`])
    const tables = await blocker.query(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = $1`,
      [schema],
    )
    await blocker.query(
      `lock table ${tables.rows.map(({ name }) => name).join(', ')} in access exclusive mode`,
    )
    await within(work(free, 'held'))
    expect(free.heard).toContain('user.created')
    await blocker.query('rollback')
  })

  it('holds family locks of its own: the same parents deleted in both meet nowhere', async () => {
    const [held, free] = [await open(first, 113, { commitTimeoutMs: 60_000 }), await open(second, 114)]
    const blocker = new pg.Client({ connectionString: url })
    await blocker.connect()
    onTestFinished(() => blocker.end())
    await blocker.query('begin')
    await blocker.query(
      `select pg_advisory_xact_lock(hashtext($1) # ${0x636c6b}, bucket) from generate_series(0, $2)  as bucket`,
      [held.sync.location.schema, BUCKETS - 1],
    )
    const joined = held.clerk
      .act('createOrganization')
      .find(({ type }) => type === 'organizationMembership.created')
    const waiting = deliver(held.sync, joined, { secret: held.secret })
    const blocked = `select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))`
    await vi.waitFor(async () => expect((await blocker.query(blocked)).rowCount).toBe(1), { timeout: 10_000 })
    await within(work(free, 'family'))
    await blocker.query('rollback')
    expect(await waiting).toMatchObject({ outcome: 'applied' })
  })

  it('both do everything at once, with the same message ids, and each ends as its own Clerk', async () => {
    const shops = [await open(first, 115), await open(second, 116)]
    await within(Promise.all(shops.map((shop) => work(shop, 'both'))))
    for (const { clerk, sync } of shops) {
      const rows = await sync.database
        .selectFrom('users')
        .select('id')
        .where('instance_id', '=', clerk.instanceId)
        .where('deleted_at', 'is', null)
        .execute()
      expect(rows.map(({ id }) => id).sort()).toEqual([...clerk.resources('users').keys()].sort())
    }
  })

  it('a delivery for the other one is no delivery here', async () => {
    const [mine, other] = [await open(first, 117), await open(second, 118)]
    const [event] = other.clerk.act('createUser')
    await expect(deliver(mine.sync, event, { secret: other.secret })).rejects.toMatchObject({
      code: 'signature_mismatch',
    })
    await expect(deliver(mine.sync, event, { secret: mine.secret })).rejects.toMatchObject({
      code: 'secret_of_other_instance',
    })
    expect(await deliver(other.sync, event, { secret: other.secret })).toMatchObject({ outcome: 'applied' })
  })
})

async function within<Result>(work: Promise<Result>): Promise<Result> {
  const stopping = new AbortController()
  const late = sleep(LIMIT_MS, undefined, { signal: stopping.signal }).then(() => {
    throw new Error('it waits for the other schema')
  })
  try {
    return await Promise.race([work, late])
  } finally {
    stopping.abort()
    late.catch(() => undefined)
  }
}
