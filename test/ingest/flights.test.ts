/** A batch crosses the network twice, whatever is in it: counted by a proxy between the app and a real Postgres. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ClerkSync, createClerkSync } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase, SECRET, silent } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

describeWithPostgres('the round trips of a batch', (url) => {
  const database = postgresDatabase(url)
  let proxy: TcpProxy
  let sync: ClerkSync
  beforeAll(async () => {
    await database.open()
    proxy = await TcpProxy.to(new URL(url))
    const { schema } = await database.location()
    sync = createClerkSync({
      signingSecret: SECRET,
      database: proxy.url(new URL(url)),
      schema,
      log: silent,
    })
    // Connects, prepares every statement, and is through with it.
    await deliver(sync, eventOf('user.created', { id: 'user_first' }))
    proxy.delayMs = 30
  })
  afterAll(async () => {
    await sync.close()
    await proxy.close()
  })

  /** All of it arrives in one turn of the event loop: one batch. */
  async function roundTripsOf(events: readonly unknown[]): Promise<number> {
    const before = proxy.roundTrips
    const receipts = await Promise.all(events.map((event) => deliver(sync, event)))
    expect(receipts.map(({ outcome }) => outcome)).toEqual(events.map(() => 'applied'))
    return proxy.roundTrips - before
  }

  const users = (action: 'created' | 'updated', count: number, more: object = {}) =>
    Array.from({ length: count }, (_, at) => eventOf(`user.${action}`, { id: `user_f${at}`, ...more }))

  it('are two for a new user', async () => {
    expect(await roundTripsOf([eventOf('user.created', { id: 'user_alone' })])).toBe(2)
  })

  it('are two for many users, new or known', async () => {
    expect(await roundTripsOf(users('created', 20))).toBe(2)
    expect(await roundTripsOf(users('updated', 20, { updated_at: 1_900_000_000_000 }))).toBe(2)
  })

  it('are two for every resource and for deletions with what belongs to them', async () => {
    expect(
      await roundTripsOf([
        eventOf('organization.created', { id: 'org_f' }),
        eventOf('organizationMembership.created', { id: 'orgmem_f' }),
        eventOf('session.created', { id: 'sess_f' }),
        eventOf('role.created', { id: 'role_f' }),
        eventOf('email.created', { id: 'ema_f' }),
        eventOf('organization.deleted', { id: 'org_f' }),
        eventOf('user.deleted', { id: 'user_f1' }),
      ]),
    ).toBe(2)
  })

  it('are two for a message that comes again', async () => {
    const event = eventOf('user.created', { id: 'user_again' })
    await deliver(sync, event, { id: 'msg_again' })
    const before = proxy.roundTrips
    expect(await deliver(sync, event, { id: 'msg_again' })).toMatchObject({ outcome: 'duplicate' })
    expect(proxy.roundTrips - before).toBe(2)
  })
})
