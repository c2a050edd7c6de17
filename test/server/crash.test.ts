/**
 * kill -9 at random moments under load: every acknowledged event is in the ledger and in the tables, none twice.
 *
 * KILLS=500 npx vitest run test/server/crash.test.ts looks harder.
 */

import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { ClerkEvent } from '../../src/index.ts'
import { compareTables, createSimulatedClerk, signDelivery } from '../../src/testing/index.ts'
import { CliProcess } from '../support/cli.ts'
import { describeEachDatabase, SECRET, type TestDatabase } from '../support/databases.ts'

const KILLS = Number(process.env.KILLS ?? 50)
/** From about the first delivery to well into the load. */
const LIFE_MS = { min: 5, max: 350 }
/** So many messages may wait for an answer. */
const MAX_WAITING = 60

/** Sends as Svix does, but tries again at once and for ever, because here the server is mostly down. */
class Sender {
  readonly accepted = new Set<string>()
  attempts = 0
  readonly #url: string
  readonly #sending: Promise<void>[] = []

  constructor(url: string) {
    this.#url = url
  }

  get waiting(): number {
    return this.#sending.length - this.accepted.size
  }

  send(events: readonly ClerkEvent[]): void {
    for (const event of events) this.#sending.push(this.#untilAccepted(event))
  }

  async settled(): Promise<void> {
    await Promise.all(this.#sending)
  }

  async #untilAccepted(event: ClerkEvent): Promise<void> {
    const { svixId } = signDelivery(event, { secret: SECRET })
    while (!(await this.#attempt(event, svixId))) await sleep(20)
    this.accepted.add(svixId)
  }

  /** Each attempt has a time and a signature of its own. */
  async #attempt(event: ClerkEvent, svixId: string): Promise<boolean> {
    this.attempts++
    const { headers, body } = signDelivery(event, { secret: SECRET, svixId })
    const answer = await fetch(this.#url, { method: 'POST', headers, body }).catch(() => undefined)
    return answer?.ok ?? false
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
  it('loses and doubles nothing that it acknowledged', { timeout: 900_000 }, async () => {
    const port = await freePort()
    const clerk = createSimulatedClerk({ seed: 50 })
    const sender = new Sender(`http://127.0.0.1:${port}/webhooks/clerk`)
    const traffic = setInterval(() => sender.waiting < MAX_WAITING && sender.send(clerk.act()), 5)
    const acknowledgedAt: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const server = await startServer(database, port)
      await sleep(LIFE_MS.min + Math.random() * (LIFE_MS.max - LIFE_MS.min))
      await server.stop('SIGKILL')
      acknowledgedAt.push(sender.accepted.size)
    }
    clearInterval(traffic)

    const last = await startServer(database, port)
    await sender.settled()
    expect((await last.stop()).code).toBe(0)

    // There was something to lose, and requests were lost.
    expect(new Set(acknowledgedAt).size).toBeGreaterThan(KILLS / 2)
    expect(sender.attempts).toBeGreaterThan(sender.accepted.size + KILLS)
    const sync = await database.open()
    const events = await sync.database.selectFrom('events').select(['id', 'outcome']).execute()
    expect(events.map(({ id }) => id).sort()).toEqual([...sender.accepted].sort())
    expect(events.filter(({ outcome }) => outcome !== 'applied' && outcome !== 'stale')).toEqual([])
    const comparisons = await compareTables(sync.database, clerk)
    expect(comparisons.filter(({ differenceCount }) => differenceCount > 0)).toEqual([])
  })
})
