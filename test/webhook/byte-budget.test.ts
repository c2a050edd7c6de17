import { describe, expect, it, vi } from 'vitest'
import { ByteBudget, type ByteShare } from '../../src/webhook/byte-budget.ts'
import { networkOf } from '../../src/webhook/network.ts'

const MEBIBYTE = 1024 * 1024

const budgetOf = (maxQueuedBytes = 64 * MEBIBYTE) =>
  new ByteBudget({ maxQueuedBytes, maxBodyBytes: 2 * MEBIBYTE })

/** A share with what it was told. */
function opened(budget: ByteBudget, client?: string): ByteShare & { onCrowdedOut: ReturnType<typeof vi.fn> } {
  return Object.assign(budget.open(client), { onCrowdedOut: vi.fn() })
}

describe('the budget of verified bytes', () => {
  const delivery = (budget: ByteBudget, bytes: number) => {
    const share = budget.open()
    share.hold(bytes)
    share.accept()
    return share
  }

  it('refuses what goes beyond it, and has room again for what was given back', () => {
    const budget = budgetOf(100)
    const first = delivery(budget, 60)
    delivery(budget, 40)
    expect(() => delivery(budget, 1)).toThrow(expect.objectContaining({ code: 'overloaded', status: 503 }))
    first.close()
    delivery(budget, 60)
  })

  it('gives a share back once, however often it is closed', () => {
    const budget = budgetOf(100)
    const share = delivery(budget, 100)
    share.close()
    share.close()
    delivery(budget, 100)
    expect(() => delivery(budget, 1)).toThrow(expect.objectContaining({ code: 'overloaded' }))
  })

  it('has room whatever strangers hold', () => {
    const budget = budgetOf(100)
    for (let stranger = 0; stranger < 100; stranger++) opened(budget).hold(2 * MEBIBYTE)
    delivery(budget, 100)
  })
})

describe('the budget of unverified bytes', () => {
  it('has the oldest of the largest bodies of a client make room, and no other client’s', () => {
    const budget = budgetOf()
    const other = opened(budget, 'b')
    other.hold(2 * MEBIBYTE)
    const small = opened(budget, 'a')
    small.hold(3_000)
    const large = Array.from({ length: 4 }, () => opened(budget, 'a'))
    for (const share of large) share.hold(2 * MEBIBYTE - 1_000)
    expect(large.map((share) => share.onCrowdedOut.mock.calls.length)).toEqual([0, 0, 0, 0])
    opened(budget, 'a').hold(3_000)
    expect(large.map((share) => share.onCrowdedOut.mock.calls.length)).toEqual([1, 0, 0, 0])
    expect(large[0]?.onCrowdedOut).toHaveBeenCalledWith(expect.objectContaining({ code: 'bodies_crowded' }))
    expect([small, other].map((share) => share.onCrowdedOut.mock.calls.length)).toEqual([0, 0])
  })

  it('refuses a body that is itself the one that must make room', () => {
    const budget = budgetOf()
    const share = budget.open('a')
    expect(() => share.hold(9 * MEBIBYTE)).toThrow(expect.objectContaining({ code: 'bodies_crowded' }))
    const next = budget.open('a')
    next.hold(2 * MEBIBYTE)
  })

  it('has the client with the most bytes make room when there are many', () => {
    const budget = budgetOf()
    const greedy = ['a', 'b', 'c', 'd', 'e'].map((client) =>
      Array.from({ length: 3 }, () => opened(budget, client)),
    )
    const calls = () => greedy.flat().filter((share) => share.onCrowdedOut.mock.calls.length > 0).length
    for (const share of greedy.flat()) share.hold(2 * MEBIBYTE)
    expect(calls()).toBe(0)
    for (let client = 0; client < 50; client++) opened(budget, `small ${client}`).hold(100_000)
    expect(calls()).toBe(2)
  })

  it('limits bodies of nobody knows whom by the whole alone', () => {
    const budget = budgetOf()
    const shares = Array.from({ length: 17 }, () => opened(budget))
    for (const share of shares) share.hold(2 * MEBIBYTE)
    expect(shares.map((share) => share.onCrowdedOut.mock.calls.length)).toEqual([1, ...Array(16).fill(0)])
  })

  it('has room again for what was verified, closed or crowded out', () => {
    const budget = budgetOf()
    for (let round = 0; round < 20; round++) {
      const share = opened(budget, 'a')
      share.hold(2 * MEBIBYTE)
      if (round % 2 === 0) share.accept()
      share.close()
      share.close()
    }
    const shares = Array.from({ length: 4 }, () => opened(budget, 'a'))
    for (const share of shares) share.hold(2 * MEBIBYTE)
    expect(shares.map((share) => share.onCrowdedOut.mock.calls.length)).toEqual([0, 0, 0, 0])
  })
})

describe('the network of an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:0:7::1', '2001:db8:0:7::/64'],
    ['2001:0DB8:0000:0007:aaaa:bbbb:cccc:dddd', '2001:db8:0:7::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
    ['x'.repeat(10_000), 'x'.repeat(64)],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
