import { expect, it, onTestFinished, vi } from 'vitest'
import type { ClerkSync, ReconcileResult } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'
import { createSimulatedClerk, type SimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'

const PATIENT = { timeout: 20_000, interval: 30 }

describeEachDatabase('a server that reconciles', (database) => {
  async function open(clerk: SimulatedClerk): Promise<ClerkSync> {
    const api = await startBackendApi(clerk, { rateLimit: null })
    onTestFinished(() => api.close())
    return database.open({
      secretKey: api.secretKey,
      apiUrl: api.url,
      apiRateLimit: Number.POSITIVE_INFINITY,
    })
  }

  async function scene(): Promise<{ clerk: SimulatedClerk; sync: ClerkSync; results: ReconcileResult[] }> {
    const clerk = createSimulatedClerk({ seed: 71 })
    for (let made = 0; made < 5; made++) clerk.act('createUser')
    const sync = await open(clerk)
    for (const table of ['jobs', 'users', 'events', 'email_addresses'] as const) {
      await sync.database.deleteFrom(table).execute()
    }
    return { clerk, sync, results: [] }
  }

  async function start(sync: ClerkSync, results: ReconcileResult[], everyMs: number) {
    const server = await startServer({
      sync,
      port: 0,
      reconcile: { everyMs, onResult: (result) => results.push(result) },
    })
    onTestFinished(async () => {
      await server.stop()
    })
  }

  const ageJobs = (sync: ClerkSync, minutes: number) =>
    sync.database
      .updateTable('jobs')
      .set((set) => ({ finished_at: set.val(new Date(Date.now() - minutes * 60_000)) }))
      .execute()

  it('does so on schedule, and finds what was missed', async () => {
    const { clerk, sync, results } = await scene()
    await sync.backfill()
    clerk.act('createUser')
    clerk.advanceTo(clerk.now + 5_000)
    await start(sync, results, 300)
    await vi.waitFor(() => expect(results.length).toBeGreaterThan(1), PATIENT)
    expect(results[0]).toMatchObject({ status: 'complete' })
    expect(results[0]?.drift.resources.users?.kinds).toEqual({ missing: 1 })
    expect(results[1]).toMatchObject({ status: 'complete', drift: { total: 0 } })
  })

  it('does so at the start after a gap in events', async () => {
    const { clerk, sync, results } = await scene()
    const [created] = clerk.act('createUser')
    await deliver(sync, created)
    await sync.backfill()
    await sync.database
      .updateTable('events')
      .set({ received_at: new Date(Date.now() - 11 * 60_000) })
      .execute()
    await ageJobs(sync, 11)
    await start(sync, results, 3_600_000)
    await vi.waitFor(() => expect(results).toHaveLength(1), PATIENT)
  })

  it('does not after a short stop, nor before a backfill was done', async () => {
    const { clerk, sync, results } = await scene()
    const [created] = clerk.act('createUser')
    await start(sync, results, 50)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(results).toEqual([])
    await deliver(sync, created)
    await sync.backfill()
    await ageJobs(sync, 11)
    const again = await open(clerk)
    await start(again, results, 3_600_000)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(results).toEqual([])
  })

  it('does not because another Clerk instance was read', async () => {
    const { sync, results } = await scene()
    await sync.backfill()
    const other = await open(createSimulatedClerk({ seed: 72 }))
    await start(other, results, 50)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(results).toEqual([])
  })
})
