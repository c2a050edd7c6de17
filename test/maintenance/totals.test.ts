import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'
import { ask } from '../dashboard/client.ts'
import { describeEachDatabase } from '../support/databases.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS

/** How many rows went, by kind. */
async function rowsForgotten(sync: ClerkSync): Promise<Record<string, number>> {
  const result = await sync.maintain()
  const entries = Object.entries(result?.forgotten ?? {}).map(([kind, { rows }]) => [kind, rows] as const)
  return Object.fromEntries(entries.filter(([, rows]) => rows > 0))
}

describeEachDatabase('the totals by time', (database) => {
  async function emptied(): Promise<ClerkSync> {
    const sync = await database.open()
    for (const table of ['event_minutes', 'event_spans', 'refusals', 'audit_log'] as const) {
      await sync.database.deleteFrom(table).execute()
    }
    return sync
  }

  const count = (sync: ClerkSync, at: number, events: number, backend = 0) =>
    sync.database
      .insertInto('event_minutes')
      .values({ minute: new Date(at), backend, outcome: 'applied', lag_step: 15, events })
      .execute()

  const refuse = (sync: ClerkSync, at: number, requests: number) =>
    sync.database
      .insertInto('refusals')
      .values({
        minute: new Date(at),
        code: 'signature_mismatch',
        requests,
        last_at: new Date(at),
        message: '',
      })
      .execute()

  const spans = async (sync: ClerkSync) =>
    (
      await sync.database.selectFrom('event_spans').selectAll().orderBy('span').orderBy('outcome').execute()
    ).map(({ span, outcome, lag_step, events }) => [
      (span.getTime() - thisHour) / HOUR_MS,
      outcome,
      lag_step,
      events,
    ])

  it('adds up the minutes of every ten that are over, whatever the session’s time zone', async () => {
    const sync = await emptied()
    await sql`set time zone 'Asia/Kolkata'`.execute(sync.database)
    await count(sync, thisHour - 3 * HOUR_MS, 1)
    await count(sync, thisHour - 3 * HOUR_MS, 2, 1)
    await count(sync, thisHour - 3 * HOUR_MS + 9 * 60_000, 4)
    await count(sync, thisHour - 2 * HOUR_MS, 8)
    await count(sync, Date.now(), 16)
    await refuse(sync, thisHour - 2 * HOUR_MS, 5)
    await sync.maintain()
    const added = [
      [-3, 'applied', 15, 7],
      [-2, 'applied', 15, 8],
      [-2, 'rejected', -1, 5],
    ]
    expect(await spans(sync)).toEqual(added)
    await refuse(sync, thisHour - 2 * HOUR_MS + 60_000, 1)
    await sync.maintain()
    expect(await spans(sync)).toEqual([...added.slice(0, 2), [-2, 'rejected', -1, 6]])
  })

  it('removes what is kept no longer, and the chart of those weeks stays as it was', async () => {
    const sync = await emptied()
    const handler = createDashboardHandler(sync)
    const sums = async () => {
      const since = new Date(Date.now() - 40 * DAY_MS).toISOString()
      const { points, bucketSeconds } = await ask(handler, 'GET traffic', { query: { since } })
      const seen = points.filter(({ applied, rejected }) => applied + rejected > 0)
      return { bucketSeconds, seen }
    }
    await count(sync, Date.now(), 1)
    await count(sync, thisHour - 5 * HOUR_MS, 2)
    await count(sync, thisHour - 9 * DAY_MS, 4)
    await refuse(sync, thisHour - 31 * DAY_MS, 3)
    const before = await sums()
    expect(before.bucketSeconds).toBe(21_600)
    expect(before.seen.reduce((sum, { applied, rejected }) => sum + applied + rejected, 0)).toBe(10)
    expect(before.seen.at(-1)?.lag.p95Ms).toBe(215)

    await sync.database
      .insertInto('audit_log')
      .values(
        [401, 399].map((days) => ({
          id: `aud_${days}`,
          at: new Date(Date.now() - days * DAY_MS),
          actor: 'ada',
          role: 'admin',
          action: 'replay',
          succeeded: true,
        })),
      )
      .execute()
    expect(await rowsForgotten(sync)).toEqual({ eventMinutes: 1, refusals: 1, audit: 1 })
    expect(await sums()).toEqual(before)
    expect(await rowsForgotten(sync)).toEqual({})
  })

  it('leaves no chart finer than what is left of its time', async () => {
    const handler = createDashboardHandler(await emptied())
    const bucketsOf = async (daysAgo: number) => {
      const since = new Date(Date.now() - daysAgo * DAY_MS).toISOString()
      const until = new Date(Date.now() - daysAgo * DAY_MS + HOUR_MS).toISOString()
      return (await ask(handler, 'GET traffic', { query: { since, until } })).bucketSeconds
    }
    expect([await bucketsOf(7), await bucketsOf(9)]).toEqual([60, 600])
  })

  it('is done by a server, now and then', async () => {
    const sync = await emptied()
    await count(sync, thisHour - 9 * DAY_MS, 4)
    const server = await startServer({ sync, port: 0, maintenance: { everyMs: 100 } })
    onTestFinished(async () => {
      await server.stop()
    })
    await vi.waitFor(async () => expect(await spans(sync)).toEqual([[-216, 'applied', 15, 4]]), 10_000)
    await count(sync, thisHour - 2 * HOUR_MS, 1)
    await vi.waitFor(async () => expect(await spans(sync)).toHaveLength(2), 10_000)
  })
})
