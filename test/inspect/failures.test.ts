import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { ask } from '../dashboard/client.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const AT = Date.parse('2026-01-01T00:00:00Z')

describeEachDatabase('failures beyond what is counted', (database) => {
  /** Runs of one group, a second after another. */
  function fail(sync: ClerkSync, handler: string, status: 'retrying' | 'dead', from: number, amount: number) {
    const runs = Array.from({ length: amount }, (_, index) => {
      const at = new Date(AT + (from + index) * 1_000)
      const event_id = `msg_${handler}_${from + index}`
      return { event_id, handler, status, fingerprint: 'f', occurred_at: at, created_at: at }
    })
    return sync.database.insertInto('handler_runs').values(runs).execute()
  }

  it('are at least so many, since the oldest of all of them', async () => {
    const sync = await database.open()
    await deliver(sync, eventOf('user.created'), { id: 'msg_first' })
    await fail(sync, 'oldest', 'dead', 0, 1)
    await fail(sync, 'many', 'dead', 100, 700)
    await fail(sync, 'many', 'retrying', 800, 400)
    for (const [index, handler] of ['a', 'b', 'c', 'd'].entries()) {
      await fail(sync, handler, 'dead', 2_000 + index, 1)
    }
    const handler = createDashboardHandler(sync)
    const { groups } = await ask(handler, 'GET failures')
    const many = groups.find((group) => group.handler === 'many')
    expect(many).toMatchObject({
      retrying: { value: 400, isAtLeast: true },
      dead: { value: 601, isAtLeast: true },
      firstAt: '2026-01-01T00:01:40.000Z',
    })
    const overview = await ask(handler, 'GET overview')
    expect(overview.failing.map((group) => group.handler)).toEqual(['d', 'c', 'b', 'a', 'many'])
    expect(overview.failingRuns).toMatchObject({ value: 1_006, isAtLeast: true })
    expect(overview.status).toMatchObject({
      since: '2026-01-01T00:00:00.000Z',
      sentence: expect.stringMatching(
        /^Degraded: 1,006\+ events have failed in 6 handlers since 2026-01-01 00:00 UTC/,
      ),
    })
  })

  it('are listed page by page, the newest first, each once', async () => {
    const sync = await database.open()
    await fail(sync, 'paged', 'dead', 0, 7)
    const handler = createDashboardHandler(sync)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: Record<string, string> = { handler: 'paged', limit: '3', ...(cursor && { cursor }) }
      const page = await ask(handler, 'GET failures/runs', { query })
      seen.push(...page.items.map(({ eventId }) => eventId))
      cursor = page.nextCursor
    } while (cursor !== null && seen.length < 20)
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((nr) => `msg_paged_${nr}`))
  })
})

describeEachDatabase('groups of failures that are resolved', (database) => {
  it('are those of which every run succeeded later', async () => {
    const sync = await database.open()
    const at = (minutes: number) => new Date(Date.now() - minutes * 60_000)
    const failure = (error: string, minutes: number) => ({
      attempt: 1,
      startedAt: at(minutes).toISOString(),
      failedAt: at(minutes).toISOString(),
      worker: null,
      error,
    })
    const run = (id: string, handler: string, error: string, minutes: number) => ({
      event_id: id,
      handler,
      occurred_at: at(minutes),
      created_at: at(minutes),
      history: JSON.stringify([failure(error, minutes)]) as never,
    })
    const recovered = { status: 'succeeded', due_at: null, finished_at: at(1) } as const
    const dead = { status: 'dead', due_at: null, finished_at: at(1), fingerprint: 'f' } as const
    await sync.database
      .insertInto('handler_runs')
      .values([
        {
          ...run('msg_1', 'crm', 'Error: status 502 for cus_1', 50),
          ...recovered,
          fingerprint: null,
          error: null,
        },
        {
          ...run('msg_2', 'crm', 'Error: status 502 for cus_2', 40),
          ...recovered,
          fingerprint: null,
          error: null,
        },
        { ...run('msg_3', 'mail', 'Error: no such user', 30), ...recovered, fingerprint: null, error: null },
        { ...run('msg_4', 'mail', 'Error: no such user', 20), ...dead, error: 'Error: no such user' },
      ])
      .execute()
    const { groups, resolved } = await ask(createDashboardHandler(sync), 'GET failures')
    expect(groups.map(({ handler }) => handler)).toEqual(['mail'])
    expect(resolved).toMatchObject([
      { handler: 'crm', runs: { value: 2 }, cause: expect.stringContaining('502') },
    ])
    expect(Date.parse(resolved[0]?.firstAt ?? '')).toBeLessThan(at(49).getTime())
  })
})
