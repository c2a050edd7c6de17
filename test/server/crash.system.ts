/**
 * kill -9 at random moments under load: every acknowledged event is in the ledger and in the tables, none twice.
 *
 * KILLS=500 npx vitest run --project system test/server/crash.system.ts looks harder.
 */

import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { ClerkEvent } from '../../src/index.ts'
import {
  compareTables,
  createSimulatedClerk,
  type SimulatedClerk,
  signDelivery,
} from '../../src/testing/index.ts'
import { chance } from '../support/chance.ts'
import { CliProcess } from '../support/cli.ts'
import { describeEachDatabase, SECRET, type TestDatabase } from '../support/databases.ts'

/** The start of an embedded database takes five times the processor time of a process alone. */
const KILLS = { Postgres: 50, PGlite: 20 }
/** Counted in answers, not in milliseconds: a slow machine kills at the same moments as a fast one. */
const MAX_ANSWERS_BEFORE_KILL = 40
const MAX_MS_BEFORE_KILL = 20
/** So many messages wait for an answer at any moment. */
const SENDERS = 30
const RETRY_MS = 100

/** Sends as Svix does, but tries again soon and for ever, because here the server is mostly down. */
class Sender {
  readonly accepted = new Set<string>()
  /** Requests that were under way when their server was killed. */
  interrupted = 0
  readonly #url: string
  readonly #clerk: SimulatedClerk
  readonly #sending: Promise<void>[]
  #isStopped = false

  constructor(url: string, clerk: SimulatedClerk) {
    this.#url = url
    this.#clerk = clerk
    this.#sending = Array.from({ length: SENDERS }, () => this.#keepSending())
  }

  async untilAccepted(more: number): Promise<void> {
    const count = this.accepted.size + more
    while (this.accepted.size < count) await sleep(1)
  }

  /** Sends nothing new, and resolves when everything is accepted. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#sending)
  }

  async #keepSending(): Promise<void> {
    while (!this.#isStopped) for (const event of this.#clerk.act()) await this.#send(event)
  }

  async #send(event: ClerkEvent): Promise<void> {
    const { svixId } = signDelivery(event, { secret: SECRET })
    while (!(await this.#attempt(event, svixId))) await sleep(RETRY_MS)
    this.accepted.add(svixId)
  }

  /** Each attempt has a time and a signature of its own. */
  async #attempt(event: ClerkEvent, svixId: string): Promise<boolean> {
    const { headers, body } = signDelivery(event, { secret: SECRET, svixId })
    try {
      const { ok } = await fetch(this.#url, { method: 'POST', headers, body })
      return ok
    } catch (error) {
      const { code } = (error as Error).cause as NodeJS.ErrnoException
      if (code !== 'ECONNREFUSED') this.interrupted++
      return false
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startServer(database: TestDatabase, port: number): Promise<CliProcess> {
  const { database: address, schema } = await database.location()
  const args = ['start', '--port', String(port), '--database', address, '--schema', schema]
  const server = new CliProcess(args, { cwd: tmpdir() })
  await server.until(/ready/)
  return server
}

describeEachDatabase('a server that is killed again and again', (database) => {
  const kills = Number(process.env.KILLS ?? KILLS[database.name])

  it('loses and doubles nothing that it acknowledged', { timeout: 900_000 }, async () => {
    const port = await freePort()
    const random = chance()
    const clerk = createSimulatedClerk({ seed: 50 })
    const sender = new Sender(`http://127.0.0.1:${port}/webhooks/clerk`, clerk)
    for (let kill = 0; kill < kills; kill++) {
      const server = await startServer(database, port)
      await sender.untilAccepted(random.integer(0, MAX_ANSWERS_BEFORE_KILL - 1))
      await sleep(random.integer(0, MAX_MS_BEFORE_KILL))
      await server.stop('SIGKILL')
    }

    const last = await startServer(database, port)
    await sender.stop()
    expect((await last.stop()).code).toBe(0)

    // There was something to lose.
    expect(sender.interrupted).toBeGreaterThan(kills)
    const sync = await database.open()
    const events = await sync.database.selectFrom('events').select(['id', 'outcome']).execute()
    expect(events.map(({ id }) => id).sort()).toEqual([...sender.accepted].sort())
    expect(events.filter(({ outcome }) => outcome !== 'applied' && outcome !== 'stale')).toEqual([])
    const comparisons = await compareTables(sync.database, clerk)
    expect(comparisons.filter(({ differenceCount }) => differenceCount > 0)).toEqual([])
  })
})
