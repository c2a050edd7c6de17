import { expect, it } from 'vitest'
import { liveTraffic } from '../../src/simulation/pace.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'

it('sends no event from the future, however fast it is', async () => {
  const startAt = Date.now() - 20_000
  const clerk = createSimulatedClerk({ startAt, maxPauseMs: 1 })
  const leaving = new AbortController()
  let events = 0
  for await (const batch of liveTraffic(clerk, { users: 20, rate: 1, count: 60 }, leaving.signal)) {
    for (const { timestamp } of batch) expect(timestamp).toBeLessThanOrEqual(Date.now())
    events += batch.length
  }
  expect(events).toBeGreaterThan(60)
})
