/** The whole way: simulated Clerk, simulated Svix with bad habits, a real server, the tables. */

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'svix'
import { expect, it, onTestFinished } from 'vitest'
import { createNodeHandler } from '../../src/adapters/node.ts'
import {
  compareTables,
  createSimulatedClerk,
  createSimulatedSvix,
  type Signer,
} from '../../src/testing/index.ts'
import { describeEachDatabase, SECRET } from '../support/databases.ts'

/** The real package's signature. */
const sign: Signer = ({ secret, svixId, at, body }) =>
  new Webhook(secret).sign(svixId, at, Buffer.from(body).toString())

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/clerk`
}

describeEachDatabase('a server behind the simulated Svix', (database) => {
  it('ends as Clerk after repeated, reordered, forged and refused deliveries', async () => {
    const sync = await database.open()
    const handle = createNodeHandler(sync)
    let requests = 0
    const url = await listen(async (request, response) => {
      requests++
      // Some never arrive, and of some the answer is lost after they were taken.
      const { method, headers } = request
      if (requests % 20 === 10) request.socket.destroy()
      else if (requests % 20 !== 0) await handle(request, response)
      else void sync.handle({ method, headers, body: request }).then(() => request.socket.destroy())
    })
    const clerk = createSimulatedClerk({ seed: 41 })
    await using svix = createSimulatedSvix({
      url,
      secret: SECRET,
      sign,
      seed: 41,
      timeScale: 0.0001,
      duplicates: 0.2,
      reorder: 0.3,
      delayMs: 500_000,
      forgeries: 0.1,
    })

    for (let actions = 0; actions < 200; actions++) svix.send(clerk.act())
    await svix.settled()

    const { messages, totals } = svix.report()
    expect(totals).toMatchObject({ accepted: messages.length, exhausted: 0, messages: messages.length })
    const forgeries = messages.flatMap(({ attempts }) => attempts.filter(({ kind }) => kind === 'forgery'))
    expect(forgeries.filter(({ status }) => status !== 400 && status !== 'no_answer')).toEqual([])
    expect(Math.min(totals.duplicates, totals.reordered, totals.forgeries)).toBeGreaterThan(10)
    expect(totals.attempts).toBeGreaterThan(totals.accepted + totals.duplicates + 10)
    const comparisons = await compareTables(sync.database, clerk)
    expect(comparisons.filter(({ differenceCount }) => differenceCount > 0)).toEqual([])
  })
})
