import { describe, expect, it } from 'vitest'
import { ByteBudget } from '../../src/webhook/byte-budget.ts'

describe('the byte budget', () => {
  it('refuses what goes beyond it, and has room again for what was given back', () => {
    const budget = new ByteBudget(100)
    const [first, second] = [budget.open(), budget.open()]
    first.add(60)
    second.add(40)
    expect(() => second.add(1)).toThrow(expect.objectContaining({ code: 'overloaded', status: 503 }))
    first.close()
    second.add(60)
  })

  it('gives a share back once, however often it is closed', () => {
    const budget = new ByteBudget(100)
    const share = budget.open()
    share.add(100)
    share.close()
    share.close()
    budget.open().add(100)
    expect(() => budget.open().add(1)).toThrow(expect.objectContaining({ code: 'overloaded' }))
  })
})
