import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import { chance } from '../support/chance.ts'
import { type CliProcess, startCli, temporaryFolder } from '../support/cli.ts'
import { SECRET, silent } from '../support/databases.ts'
import { eventOf, type SignedRequest, sign } from '../support/deliveries.ts'
import { describeWithInstalledPostgres } from '../support/postgres.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import config from './crash-config.ts'

const CONFIG = fileURLToPath(new URL('./crash-config.ts', import.meta.url))
const OPTIONS = { signingSecret: SECRET, log: silent, handlers: config.handlers }
const EFFECTS = 'clerk.effects'
const USERS = 20
/** RESTARTS=30 npx vitest run test/handlers/restart.system.ts looks harder. */
const RESTARTS = Number(process.env.RESTARTS ?? 4)
/** Svix waits 15 seconds; a receiver without a database says so after two. */
const PATIENCE_MS = 6_000

/** Sends each user's events one after the other, each until it is acknowledged, as Svix does, but soon. */
class Traffic {
  readonly acknowledged = new Set<string>()
  readonly statuses = new Map<number, number>()
  slowestMs = 0
  readonly #url: string
  readonly #sending: Promise<void>[]
  #isStopped = false

  constructor(url: string) {
    this.#url = url
    this.#sending = Array.from({ length: USERS }, (_, user) => this.#keepSending(user))
  }

  /** Sends nothing new, and resolves when everything is acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#sending)
  }

  async #keepSending(user: number): Promise<void> {
    for (let nr = 0; !this.#isStopped; nr++) {
      const at = 1_700_000_000_000 + nr * 1_000
      const type = nr === 0 ? 'user.created' : 'user.updated'
      const request = sign(eventOf(type, { id: `user_restart${user}`, updated_at: at }, at))
      while (!(await this.attempt(request))) await sleep(100)
      await sleep(100)
    }
  }

  async attempt({ id, headers, body }: SignedRequest): Promise<boolean> {
    const startedAt = performance.now()
    const { ok, status } = await fetch(this.#url, { method: 'POST', headers, body })
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt)
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (ok) this.acknowledged.add(id)
    return ok
  }
}

describeWithInstalledPostgres(
  'a Postgres that crashes and starts again, in the middle of handlers and deliveries',
  (binaries) => {
    const folder = temporaryFolder()

    it('loses nothing that was acknowledged, and doubles and disorders no effect; no process of ours has to be restarted', async () => {
      const random = chance()
      const server = await PostgresServer.create(binaries)
      onTestFinished(() => server.remove())
      const sync = createClerkSync({ ...OPTIONS, database: server.url })
      await sync.migrate()
      onTestFinished(() => sync.close())
      await sql
        .raw(`create table ${EFFECTS} (nr serial, event_id text, user_id text, at bigint)`)
        .execute(sync.database)
      const effects = async () =>
        (
          await sql<{ event_id: string; user_id: string; at: string }>`
          select event_id, user_id, at from ${sql.raw(EFFECTS)} order by nr`.execute(sync.database)
        ).rows

      const start = async (role: string) => {
        const env = { DATABASE_URL: server.url, EFFECTS }
        const process = await startCli(['--role', role, '--config', CONFIG], { cwd: await folder(), env })
        onTestFinished(() => void process.stop('SIGKILL'))
        return process
      }
      const processes = await Promise.all(['receiver', 'worker', 'worker'].map(start))
      const traffic = new Traffic((processes[0] as CliProcess).url)

      let interrupted = 0
      for (let restart = 0; restart < RESTARTS; restart++) {
        await sleep(random.integer(1_500, 2_500))
        interrupted += await running(sync)
        await server.stop('immediate')
        await sleep(random.integer(0, 2_000))
        await server.start()
      }
      await sleep(2_000)
      await traffic.stop()
      await vi.waitFor(async () => expect(await statuses(sync)).toEqual(['succeeded']), {
        timeout: 90_000,
        interval: 250,
      })

      // There was something to lose, and the receiver said each time at once that it could not take it.
      expect(interrupted).toBeGreaterThan(0)
      expect([...traffic.statuses.keys()].sort()).toEqual([200, 503])
      expect(traffic.slowestMs).toBeLessThan(PATIENCE_MS)
      const acknowledged = [...traffic.acknowledged].sort()
      const events = await sync.database.selectFrom('events').select('id').execute()
      expect(events.map(({ id }) => id).sort()).toEqual(acknowledged)
      const written = await effects()
      expect(written.map(({ event_id }) => event_id).sort()).toEqual(acknowledged)
      for (const ofUser of Map.groupBy(written, ({ user_id }) => user_id).values()) {
        const times = ofUser.map(({ at }) => Number(at))
        expect(times).toEqual([...times].sort((a, b) => a - b))
      }

      // The engine itself is back as well: a wake comes long before a sweep would.
      const last = sign(eventOf('user.created', { id: 'user_afterwards' }))
      expect(await traffic.attempt(last)).toBe(true)
      await vi.waitFor(async () => expect((await effects()).at(-1)).toMatchObject({ event_id: last.id }), {
        timeout: 8_000,
        interval: 50,
      })
      for (const process of processes) expect((await process.stop()).code).toBe(0)
    }, 240_000)
  },
)

async function running(sync: ClerkSync): Promise<number> {
  const rows = await sync.database
    .selectFrom('handler_runs')
    .select('event_id')
    .where('status', '=', 'running')
    .execute()
  return rows.length
}

/** Of all runs, each once. */
async function statuses(sync: ClerkSync): Promise<string[]> {
  const rows = await sync.database.selectFrom('handler_runs').select('status').distinct().execute()
  return rows.map(({ status }) => status)
}
