/** The routes that a cron job calls to run the handlers that are due. */

import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNextDrain, createNextPagesDrain } from '../../src/adapters/next.ts'
import type { ClerkSync } from '../../src/index.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const SECRET = 'a secret of the cron job'
const URL = 'http://localhost/api/clerk-sync/drain'

beforeEach(() => {
  vi.stubEnv('CRON_SECRET', SECRET)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe.each([
  [
    'App Router',
    (sync: ClerkSync, headers: Record<string, string>) =>
      createNextDrain(sync)(new Request(URL, { headers })),
  ],
  ['Pages Router', askPages],
])('the drain route of the %s', (_, ask) => {
  const database = embeddedDatabase()

  it('runs what is due for whoever sends CRON_SECRET', async () => {
    const sync = await database.open()
    const seen: string[] = []
    sync.on('user.created', ({ event }) => void seen.push(event.data.id), { name: 'welcome' })
    await deliver(sync, eventOf('user.created', { id: 'user_1' }))

    const refused = await ask(sync, { authorization: 'Bearer another' })
    expect([refused.status, await refused.text(), seen]).toEqual([
      401,
      expect.stringContaining('cron_secret_wrong'),
      [],
    ])
    const answer = await ask(sync, { authorization: `Bearer ${SECRET}` })
    expect([answer.status, await answer.json(), seen]).toEqual([200, { succeeded: 1, failed: 0 }, ['user_1']])

    vi.stubEnv('CRON_SECRET', undefined)
    vi.stubEnv('NODE_ENV', 'production')
    const closed = await ask(sync, {})
    expect([closed.status, await closed.text()]).toEqual([
      401,
      expect.stringContaining('cron_secret_missing'),
    ])
  })
})

async function askPages(sync: ClerkSync, headers: Record<string, string>): Promise<Response> {
  const handle = createNextPagesDrain(sync)
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as { port: number }
  return fetch(`http://localhost:${port}`, { headers }).finally(() => server.close())
}
