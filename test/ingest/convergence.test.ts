/**
 * Convergence: any history, in any order of arrival, with any duplicates, in any batches, through two engines at once,
 * ends in Clerk's rows.
 *
 * HISTORIES=20000 npx vitest run test/ingest/convergence.test.ts looks harder. A failing run prints its case: add it to
 * REGRESSIONS.
 */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import {
  compareTables,
  createSimulatedClerk,
  SILENT_ACTIONS,
  SIMULATED_ACTIONS,
  type SimulatedAction,
} from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliverAll, empty, signAll } from '../testing/histories.ts'

const HISTORIES = Number(process.env.HISTORIES ?? 400)
const SHARE = { Postgres: 0.5, PGlite: 0.5 }

interface Case {
  /** Decides who and what the history is about. */
  readonly seed: number
  readonly actions: readonly SimulatedAction[]
  /** Decides the order of arrival, what arrives again, the batches and the servers. */
  readonly arrival: number
  readonly duplicates: number
}

const REGRESSIONS: Case[] = []

/** What Clerk tells nobody of, no event can show. */
const TOLD_ACTIONS = SIMULATED_ACTIONS.filter((action) => !SILENT_ACTIONS.includes(action))

const anyCase = fc.record({
  seed: fc.nat(),
  actions: fc.array(fc.constantFrom(...TOLD_ACTIONS), { minLength: 1, maxLength: 14 }),
  arrival: fc.nat(),
  duplicates: fc.constantFrom(0, 0.2, 1),
})

async function check(
  servers: readonly ClerkSync[],
  { seed, actions, arrival, duplicates }: Case,
): Promise<void> {
  const [server] = servers as [ClerkSync]
  const random = new Random(arrival)
  const clerk = createSimulatedClerk({ seed })
  const deliveries = signAll(actions.flatMap((action) => clerk.act(action)))
  const again = deliveries.filter(() => random.chance(duplicates))

  await empty(server)
  const receipts = await deliverAll(servers, random.shuffle([...deliveries, ...again]), random)

  expect(receipts.filter((receipt) => receipt.outcome === 'duplicate')).toHaveLength(again.length)
  const comparisons = await compareTables(server.database, clerk)
  expect(comparisons.filter((comparison) => comparison.differenceCount > 0)).toEqual([])
}

describeEachDatabase('any history ends in Clerk’s rows', (database) => {
  it('in any order, with any duplicates and batches, through two engines', {
    timeout: 3_600_000,
  }, async () => {
    const servers = [await database.open(), await database.open()]
    await fc.assert(
      fc.asyncProperty(anyCase, (each) => check(servers, each)),
      {
        numRuns: Math.ceil(HISTORIES * SHARE[database.name]),
        examples: REGRESSIONS.map((regression) => [regression]),
        interruptAfterTimeLimit: 3_000_000,
        markInterruptAsFailure: true,
      },
    )
  })
})
