import { expect, it } from 'vitest'
import { RateBudget } from '../../src/backfill/rate-budget.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'

const LIMIT = 200

describeEachDatabase('the budget of requests', (database) => {
  const budgetOf = (sync: ClerkSync, key: string) =>
    new RateBudget(sync.database, sync.location.schema, key, LIMIT)

  async function spend(budgets: readonly RateBudget[], milliseconds: number): Promise<number> {
    const until = performance.now() + milliseconds
    let taken = 0
    const spender = async (budget: RateBudget) => {
      for (;;) {
        await budget.take(undefined)
        if (performance.now() > until) return
        taken++
      }
    }
    await Promise.all(budgets.flatMap((budget) => [spender(budget), spender(budget)]))
    return taken
  }

  it('is one for all processes that have the same key, and stays below 70 % of the limit', async () => {
    const [first, second] = [await database.open(), await database.open()]
    const taken = await spend([budgetOf(first, 'sk_a'), budgetOf(second, 'sk_a')], 2_000)
    // A burst of 5 %, and a fifth of the 65 % that ten seconds have.
    expect(taken).toBeLessThanOrEqual(LIMIT * (0.05 + 0.65 / 5) + 2)
    expect(taken).toBeGreaterThan(LIMIT * (0.65 / 5) * 0.6)
  })

  it('is another for another key', async () => {
    const sync = await database.open()
    await budgetOf(sync, 'sk_b').pause(60_000)
    const startedAt = performance.now()
    await budgetOf(sync, 'sk_c').take(undefined)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it('lets everybody wait when one was told to', async () => {
    const [first, second] = [await database.open(), await database.open()]
    await budgetOf(first, 'sk_d').pause(700)
    const startedAt = performance.now()
    await budgetOf(second, 'sk_d').take(undefined)
    expect(performance.now() - startedAt).toBeGreaterThan(500)
  })

  it('stops waiting when it is told to', async () => {
    const sync = await database.open()
    await budgetOf(sync, 'sk_e').pause(60_000)
    await expect(budgetOf(sync, 'sk_e').take(AbortSignal.timeout(100))).rejects.toThrow()
  })
})
