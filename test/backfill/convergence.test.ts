/**
 * The promise: whatever was missed, repeated or came in another order, and wherever backfills and reconciles were stopped,
 * one reconcile that comes to its end makes the tables Clerk's. What arrives afterwards changes nothing.
 */

import { beforeAll, expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

const ROUNDS = 8
const MOST_ACTIONS = 25
const DROPPED = 0.35
const LATE = 0.25
const REPEATED = 0.2

/** A stream of the seed that is for the test alone. */
const STREAM = 77

describeEachDatabase('after anything', (database) => {
  const { serve, open } = scenes(database)
  const seeds = Array.from({ length: database.name === 'PGlite' ? 3 : 8 }, (_, index) => index + 1)

  beforeAll(async () => {
    await database.open()
  })

  it.each(seeds)('one reconcile makes the tables Clerk’s: history %i', async (seed) => {
    const random = new Random(seed, STREAM)
    const clerk = createSimulatedClerk({ seed })
    const api = await serve(clerk, { faults: { dropped: 0.01, truncated: 0.01 } })
    const servers = [await open(api), await open(api)]
    const [sync] = servers as [ClerkSync, ClerkSync]
    await emptyAll(sync)
    const late: ClerkEvent[] = []

    for (let round = 0; round < ROUNDS; round++) {
      const sweep = startSweep(random.pick(servers), random)
      for (let actions = random.integer(1, MOST_ACTIONS); actions > 0; actions--) {
        await send(clerk.act(), { random, servers, late })
      }
      await sweep
    }

    clerk.advanceTo(clerk.now + 5_000)
    const everything = { full: true, restart: true, maxDeletions: Number.MAX_SAFE_INTEGER }
    const result = await sync.reconcile(everything)
    expect(result.status, JSON.stringify(result.resources)).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])

    for (const event of random.shuffle(late)) await deliver(random.pick(servers), event)
    expect(await wrongTables(sync, clerk)).toEqual([])
    const again = await sync.reconcile(everything)
    expect(again.drift).toMatchObject({ total: 0 })
  })
})

interface Roads {
  readonly random: Random
  readonly servers: readonly ClerkSync[]
  /** What is under way for long. */
  readonly late: ClerkEvent[]
}

/** Some events arrive, some twice, some later, some never. */
async function send(events: readonly ClerkEvent[], { random, servers, late }: Roads): Promise<void> {
  for (const event of events) {
    if (random.chance(DROPPED)) continue
    if (random.chance(LATE)) {
      late.push(event)
      continue
    }
    await deliver(random.pick(servers), event)
    if (random.chance(REPEATED)) await deliver(random.pick(servers), event)
  }
  if (late.length > 0 && random.chance(0.3)) {
    const [event] = late.splice(random.integer(0, late.length - 1), 1)
    if (event) await deliver(random.pick(servers), event)
  }
}

/** A backfill or reconcile that is stopped after some pages, or comes to its end. Nobody waits for it yet. */
async function startSweep(sync: ClerkSync, random: Random): Promise<void> {
  const stopping = new AbortController()
  let pages = random.integer(0, 14)
  const onProgress = () => {
    if (pages-- === 0) stopping.abort()
  }
  const options = { signal: stopping.signal, onProgress }
  const sweep = random.chance(0.5)
    ? sync.backfill(options)
    : sync.reconcile({ ...options, full: random.chance(0.5) })
  await sweep.catch((error) => {
    if (!stopping.signal.aborted && error.code !== 'job_running') throw error
  })
}
