import { describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/database/database.ts'
import { Lanes } from '../../src/database/lanes.ts'
import { divideConnections } from '../../src/database/shares.ts'

const rules = { first: { limit: 2, reserved: 1 }, second: { limit: 3, reserved: 0 } }

describe('lanes', () => {
  it('keep what is reserved, and lend the rest', async () => {
    const lanes = new Lanes(3, rules)
    await lanes.enter('second')
    await lanes.enter('second')
    const third = vi.fn()
    const waiting = lanes.enter('second').then(third)
    await lanes.enter('first')
    expect(third).not.toHaveBeenCalled()
    lanes.leave('second')
    await waiting
  })

  it('serve who waits in the order of arrival, and pass over who has no room', async () => {
    const lanes = new Lanes(2, rules)
    await lanes.enter('second')
    const order: string[] = []
    const waits = [
      lanes.enter('second').then(() => order.push('second')),
      lanes.enter('first').then(() => order.push('first')),
    ]
    await waits[1]
    lanes.leave('second')
    await waits[0]
    expect(order).toEqual(['first', 'second'])
  })

  it('end a wait that leads nowhere, by name', async () => {
    vi.useFakeTimers()
    try {
      const lanes = new Lanes(1, rules)
      await lanes.enter('first')
      const late = expect(lanes.enter('first')).rejects.toMatchObject({
        code: 'connections_busy',
        message: expect.stringContaining('first, 1 in all'),
        remedy: expect.stringContaining('Raise `maxConnections`'),
      })
      await vi.advanceTimersByTimeAsync(10_000)
      await late
      // Who gave up takes nothing from those who come later.
      lanes.leave('first')
      await lanes.enter('first')
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('the shares of a process', () => {
  it.each([1, 2, 3, 4, 5, 6, 8, 10, 20, 50, 200])('of %i connections are never more than that', (total) => {
    const { handlers, listens, shared, lanes, deliveryTransactions } = divideConnections(total, false)
    expect(handlers + shared + Number(listens)).toBe(total)
    const reserved = Object.values(lanes).reduce((sum, lane) => sum + lane.reserved, 0)
    // One is free for any, or a lane without a reservation would wait for ever.
    expect(reserved).toBeLessThan(shared)
    expect(deliveryTransactions).toBeGreaterThan(0)
    expect(deliveryTransactions).toBeLessThanOrEqual(lanes.deliveries.limit)
  })

  it('leave a server what each kind of work had alone', () => {
    expect(divideConnections(20, false)).toMatchObject({ handlers: 8, listens: true, shared: 11 })
  })

  it('spare a serverless process one for a handler and one for the rest', () => {
    expect(divideConnections(2, false)).toMatchObject({ handlers: 1, listens: false, shared: 1 })
  })

  it('give a replica its part, if there are enough', () => {
    expect(divideConnections(3, true)).toMatchObject({ handlers: 1, replica: 1, shared: 1 })
    expect(divideConnections(20, true)).toMatchObject({ replica: 4 })
    expect(() => divideConnections(2, true)).toThrow('with replicaUrl it must be at least 3')
  })
})

describe('an address', () => {
  it('of several hosts is refused by name, and one whose password has a comma is not', () => {
    const options = { maxConnections: 1 }
    const open = (address: string) => () => openDatabase(address, 'clerk', options)
    expect(open('postgres://one:1,two:2/app?target_session_attrs=read-write')).toThrow('several hosts')
    expect(open('postgres://app:a,b@one/app')).not.toThrow()
  })

  it('of a replica must be one of Postgres', () => {
    const open = (replicaUrl: string, address = 'postgres://one/app') =>
      openDatabase(address, 'clerk', { maxConnections: 5, replicaUrl })
    expect(() => open('mysql://two/app')).toThrow('replicaUrl must be a postgres:// address')
    expect(() => open('postgres://two/app', 'memory://')).toThrow('the database is a folder')
    expect(() => open('postgres://two/app')).not.toThrow()
  })
})
