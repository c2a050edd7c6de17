/** However few connections a process may open, it opens no more, and nothing waits for ever. */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { scenes, wrongTables } from '../backfill/scenes.ts'
import { ask } from '../dashboard/client.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'

/** Counts a process's connections by their name until the test ends. */
async function watch(url: string, name: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let most = 0
  const count = async () => {
    const { rows } = await client.query<{ count: string }>(
      'select count(*) from pg_stat_activity where application_name = $1',
      [name],
    )
    most = Math.max(most, Number(rows[0]?.count))
  }
  let isOver = false
  const counting = (async () => {
    while (!isOver) {
      await count()
      await sleep(5)
    }
  })()
  onTestFinished(async () => {
    isOver = true
    await counting
    await client.end()
  })
  return { most: () => most }
}

describeWithPostgres('a process with few connections', (url) => {
  async function opened(maxConnections: number) {
    const database = postgresDatabase(url)
    const { serve, open } = scenes(database)
    const clerk = createSimulatedClerk({ seed: maxConnections })
    const api = await serve(clerk)
    for (let made = 0; made < 60; made++) clerk.act('createUser')
    await database.open()
    const name = `clerk-sync-${maxConnections}-${process.pid}`
    const sync = await open(api, {
      maxConnections,
      database: { connectionString: url, application_name: name },
      apiPageSize: 20,
    })
    return { clerk, sync, connections: await watch(url, name) }
  }

  /** Deliveries, a backfill and the dashboard, all at once. */
  async function useAll(sync: ClerkSync, clerk: ReturnType<typeof createSimulatedClerk>) {
    const dashboard = createDashboardHandler(sync)
    const since = new Date(Date.now() - 3_600_000).toISOString()
    const look = async () => {
      for (let nr = 0; nr < 10; nr++) {
        await Promise.all([
          ask(dashboard, 'GET overview'),
          ask(dashboard, 'GET traffic', { query: { since } }),
        ])
      }
    }
    const send = async () => {
      for (let nr = 0; nr < 20; nr++) {
        await Promise.all(clerk.act('createUser').map((event) => deliver(sync, event)))
      }
    }
    const [result] = await Promise.all([sync.backfill(), look(), look(), send(), send(), send()])
    expect(result.status).toBe('complete')
  }

  it.each([2, 3, 5])('of %i opens no more, with everything in use', async (maxConnections) => {
    const { clerk, sync, connections } = await opened(maxConnections)
    let handled = 0
    // It holds its transaction while it asks for another connection, and for a row of Clerk.
    sync.on(
      'user.created',
      async ({ event, tx }) => {
        await tx.query('select 1')
        await sync.users.ensure(String(event.data.id))
        await sync.database.selectFrom('users').select('id').limit(1).execute()
        await tx.query('select 2')
        handled++
      },
      { name: 'greedy', concurrency: 10 },
    )
    await sync.work()
    await useAll(sync, clerk)
    await vi.waitFor(() => expect(handled).toBe(60), { timeout: 30_000 })
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect(connections.most()).toBeLessThanOrEqual(maxConnections)
    expect(connections.most()).toBeGreaterThan(maxConnections - 2)
  })

  it('of one receives, backfills and shows the dashboard, and refuses to run handlers by name', async () => {
    const { clerk, sync, connections } = await opened(1)
    sync.on('user.created', () => undefined, { name: 'waiting' })
    await expect(sync.work()).rejects.toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('maxConnections is 1'),
    })
    await useAll(sync, clerk)
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect(connections.most()).toBe(1)
  })
})
