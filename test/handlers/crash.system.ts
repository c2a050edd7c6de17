import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { expect, it, vi } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import type { Random } from '../../src/testing/random.ts'
import { chance } from '../support/chance.ts'
import { type CliProcess, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import config from './crash-config.ts'

const CONFIG = fileURLToPath(new URL('./crash-config.ts', import.meta.url))
const USERS = 20
const EVENTS_EACH = 10
const KILLS = 15

describeWithPostgres('workers', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()

  async function startWorker(): Promise<CliProcess> {
    const { schema } = await database.location()
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, EFFECTS: `"${schema}".effects` }
    return startCli(['--role', 'worker', '--config', CONFIG], { cwd: await folder(), env })
  }

  async function runs(sync: ClerkSync, handler: string) {
    const rows = await sync.database
      .selectFrom('handler_runs')
      .select(['status', sql<number>`count(*)::integer`.as('count')])
      .where('handler', '=', handler)
      .groupBy('status')
      .execute()
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
  }

  it('that are killed, that lose their connections and whose handlers exit: every effect once, in order, and nobody else is held up', async () => {
    const { schema } = await database.location()
    const sync = await database.open({ handlers: config.handlers })
    await sql
      .raw(`create table "${schema}".effects (nr serial, event_id text, user_id text, at bigint)`)
      .execute(sync.database)
    const workers = await Promise.all([startWorker(), startWorker(), startWorker()])

    const deliveries = deliverAll(sync, chance())
    let cut = 0
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(300)
      const victim = kill % workers.length
      await (workers[victim] as CliProcess).stop('SIGKILL')
      workers[victim] = await startWorker()
      if (kill % 5 === 4) cut += await cutConnections(sync)
    }
    await deliveries
    expect(cut).toBeGreaterThan(0)
    const total = USERS * EVENTS_EACH
    await vi.waitFor(async () => expect(await runs(sync, 'effect')).toEqual({ succeeded: total }), {
      timeout: 60_000,
      interval: 250,
    })

    const { rows } = await sql<{
      user_id: string
      at: string
    }>`select user_id, at from ${sql.id(schema, 'effects')} where at > 0 order by nr`.execute(sync.database)
    expect(rows).toHaveLength(total)
    for (const [, ofUser] of Map.groupBy(rows, (row) => row.user_id)) {
      const times = ofUser.map(({ at }) => Number(at))
      expect(times).toEqual([...times].sort((a, b) => a - b))
      expect(new Set(times).size).toBe(EVENTS_EACH)
    }

    await deliver(sync, eventOf('session.created', { id: 'sess_exits' }))
    await deliver(sync, eventOf('organization.created', { id: 'org_beside' }))
    await vi.waitFor(async () => expect(await runs(sync, 'beside')).toEqual({ succeeded: 1 }), {
      timeout: 30_000,
      interval: 100,
    })
    // The first try's process is gone; the lease ends, and there is no second try.
    const startedAt = Date.now()
    await vi.waitFor(async () => expect(await runs(sync, 'exits')).toEqual({ dead: 1 }), {
      timeout: 45_000,
      interval: 250,
    })
    expect(Date.now() - startedAt).toBeLessThan(40_000)
    for (const worker of workers) await worker.stop()
  }, 240_000)
})

/** Each user's events in disorder, as they come. */
async function deliverAll(sync: ClerkSync, random: Random): Promise<void> {
  for (let nr = 0; nr < EVENTS_EACH; nr++) {
    const order = random.shuffle(Array.from({ length: USERS }, (_, user) => user))
    for (const user of order) {
      const at = 1_700_000_000_000 + nr * 1_000
      await deliver(
        sync,
        eventOf(nr === 0 ? 'user.created' : 'user.updated', { id: `user_crash${user}`, updated_at: at }, at),
      )
    }
    await sleep(200)
  }
}

/** As a restart of the database does, but only to this test's schema: other tests share the server. Returns how many. */
async function cutConnections(sync: ClerkSync): Promise<number> {
  const table = `"${sync.location.schema}"."handler_runs"`
  const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and strpos(query, ${table}) > 0 and application_name = 'clerk-sync'`.execute(
    sync.database,
  )
  return rows.length
}
