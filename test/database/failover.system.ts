/** A primary that goes away and a standby that takes over, both real servers behind one address, with deliveries under way. */

import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { type ClerkSync, type ClerkSyncError, createClerkSync } from '../../src/index.ts'
import { ask, refusal } from '../dashboard/client.ts'
import { runCli } from '../support/cli.ts'
import { SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { describeWithInstalledPostgres } from '../support/postgres.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const RECOVERY_MS = 15_000

/** As Svix, but less patient: sends each event until it is acknowledged. */
class Sender {
  readonly acknowledged: string[] = []
  readonly refusals = new Set<string>()
  lastAt = 0
  #isOver = false
  readonly #sending: Promise<unknown>

  constructor(sync: ClerkSync) {
    this.#sending = Promise.all([this.#send(sync, 'a'), this.#send(sync, 'b')])
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#sending
  }

  async #send(sync: ClerkSync, name: string): Promise<void> {
    for (let nr = 0; !this.#isOver; nr++) await this.#deliver(sync, `msg_${name}${nr}`)
  }

  async #deliver(sync: ClerkSync, id: string): Promise<void> {
    for (;;) {
      try {
        await deliver(sync, eventOf('user.created', { id: id.replace('msg', 'user') }), { id })
        this.acknowledged.push(id)
        this.lastAt = performance.now()
        return
      } catch (error) {
        this.refusals.add((error as ClerkSyncError).code)
        expect(error).toMatchObject({ status: 503 })
        await sleep(50)
      }
    }
  }
}

describeWithInstalledPostgres('a failover', (binaries) => {
  async function scene() {
    const primary = await PostgresServer.create(binaries)
    onTestFinished(() => primary.remove())
    const standby = await primary.createStandby()
    onTestFinished(() => standby.remove())
    const proxy = await TcpProxy.to(new URL(primary.url))
    onTestFinished(() => proxy.close())
    const database = proxy.url(new URL(primary.url))
    const sync = createClerkSync({ signingSecret: SECRET, log: silent, database })
    onTestFinished(() => sync.close())
    await sync.migrate()
    await primary.query('create table effects (event_id text primary key)')
    const write = 'insert into effects values ($1)'
    sync.on('user.created', async ({ eventId, tx }) => void (await tx.query(write, [eventId])), {
      name: 'once',
    })
    await sync.work()
    return { primary, standby, proxy, sync, sender: new Sender(sync) }
  }

  /** Everything that was acknowledged is there, and its handler has run, once. */
  async function expectNothingLost(standby: PostgresServer, { acknowledged }: Sender): Promise<void> {
    const idsIn = async (text: string) => (await standby.query(text)).map(({ id }) => id).sort()
    const expected = [...acknowledged].sort()
    expect(await idsIn('select id from clerk.events')).toEqual(expected)
    await vi.waitFor(
      async () => expect(await idsIn('select event_id as id from effects')).toEqual(expected),
      { timeout: 40_000, interval: 200 },
    )
  }

  /** The standby becomes the primary: deliveries go on in time, and none that was acknowledged is missing. */
  async function expectTakeover(at: Awaited<ReturnType<typeof scene>>, startedAt: number): Promise<void> {
    const { standby, proxy, sender, sync } = at
    await standby.promote()
    proxy.retarget(new URL(standby.url))
    const before = sender.acknowledged.length
    await vi.waitFor(() => expect(sender.acknowledged.length).toBeGreaterThan(before + 50), {
      timeout: 30_000,
    })
    expect(sender.lastAt - startedAt).toBeLessThan(RECOVERY_MS)
    await sync.check()
    await sender.stop()
    await expectNothingLost(standby, sender)
  }

  it('of a primary that is stopped is over within 15 seconds, and nothing is lost', async () => {
    const at = await scene()
    const { primary, sender } = at
    await vi.waitFor(() => expect(sender.acknowledged.length).toBeGreaterThan(50), { timeout: 20_000 })
    const startedAt = performance.now()
    // A clean stop sends everything to the standby first.
    await primary.stop('fast')
    await expectTakeover(at, startedAt)
  }, 120_000)

  it('that leaves connections to a primary which only reads is noticed by them', async () => {
    const at = await scene()
    const { primary, standby, sender, sync } = at
    await vi.waitFor(() => expect(sender.acknowledged.length).toBeGreaterThan(50), { timeout: 20_000 })
    const startedAt = performance.now()
    await primary.query('alter system set default_transaction_read_only = on')
    await primary.query('select pg_reload_conf()')
    await vi.waitFor(() => expect([...sender.refusals]).toContain('database_read_only'), { timeout: 5_000 })
    await expect(sync.check()).rejects.toMatchObject({ code: 'database_read_only', status: 503 })
    await untilCaughtUp(primary, standby)
    await expectTakeover(at, startedAt)
  }, 120_000)
})

describeWithInstalledPostgres('a replica', (binaries) => {
  it('answers lists, says how far it is behind, and is missed by nothing else', async () => {
    const primary = await PostgresServer.create(binaries)
    onTestFinished(() => primary.remove())
    const standby = await primary.createStandby()
    onTestFinished(() => standby.remove())
    const options = { database: primary.url, replicaUrl: standby.url, maxConnections: 5 }
    const sync = createClerkSync({ signingSecret: SECRET, log: silent, ...options })
    onTestFinished(() => sync.close())
    await sync.migrate()
    await deliver(sync, eventOf('user.created'), { id: 'msg_replicated' })
    await untilCaughtUp(primary, standby)

    const dashboard = createDashboardHandler(sync)
    const { items } = await ask(dashboard, 'GET events')
    expect(items).toMatchObject([{ id: 'msg_replicated' }])
    const env = { DATABASE_URL: primary.url, CLERK_SYNC_REPLICA_URL: standby.url }
    const { stdout } = await runCli(['status', '--json'], { cwd: tmpdir(), env })
    expect(JSON.parse(stdout)).toMatchObject({ replica: { isReplica: true, behindMs: expect.any(Number) } })
    const ofReplica = async (more = {}) => {
      const run = await runCli(['doctor', '--offline', '--json'], { cwd: tmpdir(), env: { ...env, ...more } })
      const results = run.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
      return results.find(({ check }) => check === 'replica')
    }
    expect(await ofReplica()).toMatchObject({ status: 'passed', message: expect.stringMatching(/behind\.$/) })
    expect(await ofReplica({ CLERK_SYNC_REPLICA_URL: primary.url })).toMatchObject({
      code: 'replica_is_primary',
    })
    const nowhere = 'postgres://postgres@127.0.0.1:1/postgres'
    expect(await ofReplica({ CLERK_SYNC_REPLICA_URL: nowhere })).toMatchObject({
      code: 'replica_unreachable',
    })

    const { checks } = await ask(dashboard, 'GET health')
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'Replica', message: expect.stringMatching(/behind$/) }),
    )

    await standby.stop('fast')
    expect((await refusal(dashboard, 'GET events'))[0]).toBe(503)
    await deliver(sync, eventOf('user.created', { id: 'user_alone' }))
    await sync.check()
  }, 120_000)
})

async function untilCaughtUp(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [written] = await primary.query('select pg_current_wal_lsn()::text as lsn')
  const behind = `select '${written?.lsn}'::pg_lsn > pg_last_wal_replay_lsn() as "isBehind"`
  await vi.waitFor(async () => expect((await standby.query(behind))[0]?.isBehind).toBe(false), {
    timeout: 10_000,
  })
}
