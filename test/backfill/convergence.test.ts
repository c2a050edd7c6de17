/**
 * The promise: whatever was missed, repeated or came in another order, and wherever backfills and reconciles were stopped,
 * one reconcile that comes to its end makes the tables Clerk's. What arrives afterwards changes nothing for long: Clerk is
 * asked for each row that an old event makes.
 */

import { beforeAll, expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync, ClerkSyncError } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { emptyAll, scenes, untilAsked, wrongTables } from './scenes.ts'

const ROUNDS = 8
const MOST_ACTIONS = 25
/** Many pages of the smallest size, so that runs are stopped inside of a resource, not only between two. */
const PAGE_SIZE = 20
const FIRST_USERS = 70
const FIRST_MEMBERSHIPS = 50
const MOST_PAGES = 24
const DROPPED = 0.35
const LATE = 0.25
const REPEATED = 0.2

/** A stream of the seed that is for the test alone. */
const STREAM = 77

describeEachDatabase('after anything', (database) => {
  const { serve, open } = scenes(database)
  let stoppedInside = 0
  const seeds = Array.from({ length: database.name === 'PGlite' ? 3 : 6 }, (_, index) => index + 1)

  beforeAll(async () => {
    await database.open()
  })

  it.each(seeds)('one reconcile makes the tables Clerk’s: history %i', async (seed) => {
    const random = new Random(seed, STREAM)
    const clerk = createSimulatedClerk({ seed })
    const api = await serve(clerk, { faults: { dropped: 0.01, truncated: 0.01 } })
    const servers = [await open(api, { apiPageSize: PAGE_SIZE }), await open(api, { apiPageSize: PAGE_SIZE })]
    const [sync] = servers as [ClerkSync, ClerkSync]
    await emptyAll(sync)
    for (let made = 0; made < FIRST_USERS; made++) clerk.act('createUser')
    for (let made = 0; made < FIRST_MEMBERSHIPS; made++) clerk.act('addMember')
    const late: ClerkEvent[] = []

    for (let round = 0; round < ROUNDS; round++) {
      const sweep = startSweep(random.pick(servers), random)
      for (let actions = random.integer(1, MOST_ACTIONS); actions > 0; actions--) {
        await send(clerk.act(), { random, servers, late })
      }
      if (await sweep) stoppedInside++
    }

    clerk.advanceTo(clerk.now + 5_000)
    const everything = { full: true, restart: true, maxDeletions: Number.MAX_SAFE_INTEGER }
    const result = await sync.reconcile(everything)
    expect(result.status, JSON.stringify(result.resources)).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])

    for (const event of random.shuffle(late)) await deliver(random.pick(servers), event)
    await untilAsked(sync)
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect((await sync.reconcile(everything)).drift).toMatchObject({ total: 0 })
  })

  it('some of whose runs were stopped between two pages of a resource', () => {
    expect(stoppedInside).toBeGreaterThan(seeds.length)
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

/**
 * A backfill or reconcile that is stopped after some pages, or comes to its end. Nobody waits for it yet.
 * @returns whether it was stopped inside of a resource
 */
async function startSweep(sync: ClerkSync, random: Random): Promise<boolean> {
  const stopping = new AbortController()
  let pages = random.integer(0, MOST_PAGES)
  const onProgress = () => {
    if (pages-- === 0) stopping.abort()
  }
  const options = { signal: stopping.signal, onProgress }
  const sweep = random.chance(0.5)
    ? sync.backfill(options)
    : sync.reconcile({ ...options, full: random.chance(0.5) })
  try {
    await sweep
    return false
  } catch (error) {
    if (!stopping.signal.aborted && (error as ClerkSyncError).code !== 'job_running') throw error
  }
  const jobs = await sync.database
    .selectFrom('jobs')
    .select('checkpoint')
    .where('status', '=', 'aborted')
    .execute()
  return jobs.some(({ checkpoint }) => Object.values(checkpoint ?? {}).some((position) => position !== null))
}
