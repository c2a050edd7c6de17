/**
 * Nobody listens for 36 hours. Svix tries each message eight times in some 28 hours and then gives it up, so that the
 * oldest events are lost for good and the others come back for many hours more. A reconcile does not wait for them.
 *
 * The clock is Clerk's: each retry comes at its time, signed at that time. Those of the first minutes meet the reconcile.
 *
 * OUTAGE_EVENTS=100000 runs it in full; here it is smaller, with the same shares.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync, ClerkSyncError, Receipt } from '../../src/index.ts'
import { createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { retryDelay } from '../../src/testing/simulated-svix/schedule.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { scenes, untilAsked, wrongTables } from './scenes.ts'

const EVENTS = Number(process.env.OUTAGE_EVENTS ?? 2_500)
const OUTAGE_MS = 36 * 3_600_000
const TIME_LIMIT_MS = 10 * 60_000
/** Deliveries that Svix has under way at a time. */
const CONCURRENCY = 20

describeWithPostgres('after an outage of 36 hours', (url) => {
  const { serve, open } = scenes(postgresDatabase(url))

  it(`${EVENTS} missed events are made good in minutes; late retries are harmless`, {
    timeout: 3_600_000,
  }, async () => {
    const clerk = createSimulatedClerk({
      seed: 36,
      maxPauseMs: Math.min(5_000, Math.floor(OUTAGE_MS / EVENTS / 2)),
    })
    for (let made = 0; made < EVENTS / 20; made++) clerk.act('createUser')
    for (let made = 0; made < EVENTS / 4; made++) clerk.act()
    const api = await serve(clerk)
    const sync = await open(api, { now: () => clerk.now })
    expect((await sync.backfill()).status).toBe('complete')

    const outageAt = clerk.now
    const missed = liveThroughOutage(clerk)
    expect(clerk.now - outageAt).toBe(OUTAGE_MS)
    const retries = retriesOf(missed, clerk.now)
    const lost = missed.length - retries.length
    expect(lost / missed.length).toBeGreaterThan(0.15)
    const atOnce = retries.filter(({ at }) => at < clerk.now + TIME_LIMIT_MS)
    expect(atOnce.length).toBeGreaterThan(0)
    clerk.advanceTo(clerk.now + 5_000)

    const startedAt = performance.now()
    const [result] = await Promise.all([
      sync.reconcile({ maxDeletions: Number.MAX_SAFE_INTEGER }),
      play(sync, clerk, atOnce),
    ])
    const tookMs = performance.now() - startedAt
    expect(result.status, JSON.stringify(result.resources)).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect(tookMs).toBeLessThan(TIME_LIMIT_MS)
    const seconds = (tookMs / 1_000).toFixed(1)
    console.log(
      `${missed.length} missed, ${lost} lost for good; ${result.drift.total} rows repaired in ${seconds} s`,
    )

    const late = retries.slice(atOnce.length)
    const before = clerk.now
    const requestsBefore = api.requests.length
    const outcomes = await play(sync, clerk, late)
    const hours = Math.round((clerk.now - before) / 3_600_000)
    expect(hours).toBeGreaterThan(8)
    expect([...outcomes.keys()].filter((outcome) => outcome !== 'applied' && outcome !== 'stale')).toEqual([])
    await untilAsked(sync)
    const requests = api.requests.length - requestsBefore
    expect(requests).toBeGreaterThan(0)
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect((await sync.reconcile({ full: true })).drift).toMatchObject({ total: 0 })
    console.log(
      `${atOnce.length} retries beside the reconcile, ${late.length} over ${hours} h more: ${JSON.stringify(Object.fromEntries(outcomes))}; ${requests} requests for rows that came late`,
    )
  })
})

/** A message, and when Svix tries it the next time. */
interface Retry {
  readonly event: ClerkEvent
  readonly at: number
}

/** Delivers them as time goes on. */
async function play(
  sync: ClerkSync,
  clerk: SimulatedClerk,
  retries: readonly Retry[],
): Promise<Map<Receipt['outcome'], number>> {
  const outcomes = new Map<Receipt['outcome'], number>()
  for (let first = 0; first < retries.length; first += CONCURRENCY) {
    const together = retries.slice(first, first + CONCURRENCY)
    clerk.advanceTo(Math.max(clerk.now, (together.at(-1) as Retry).at))
    for (const { outcome } of await Promise.all(together.map(({ event }) => attempt(sync, event, clerk.now))))
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  return outcomes
}

/** Whatever is answered 503 comes again. */
async function attempt(sync: ClerkSync, event: ClerkEvent, at: number): Promise<Receipt> {
  for (;;) {
    try {
      return await deliver(sync, event, { at: new Date(at) })
    } catch (error) {
      if ((error as ClerkSyncError).status !== 503) throw error
      await sleep(100)
    }
  }
}

/** Events, evenly over the time. */
function liveThroughOutage(clerk: SimulatedClerk): ClerkEvent[] {
  const startedAt = clerk.now
  const events: ClerkEvent[] = []
  while (events.length < EVENTS) {
    clerk.advanceTo(startedAt + OUTAGE_MS * (events.length / EVENTS))
    events.push(...clerk.act())
  }
  clerk.advanceTo(startedAt + OUTAGE_MS)
  return events
}

/** Of those that Svix has not given up when somebody listens again, in the order in which they come. */
function retriesOf(events: readonly ClerkEvent[], since: number): Retry[] {
  const random = new Random(36)
  return events
    .flatMap((event) => {
      let at = Number(event.timestamp)
      for (let failures = 1; at < since; failures++) {
        const delay = retryDelay(failures, false, random)
        if (delay === undefined) return []
        at += delay
      }
      return [{ event, at }]
    })
    .sort((a, b) => a.at - b.at)
}
