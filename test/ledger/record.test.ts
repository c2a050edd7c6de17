import { expect, it } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const user = (id: string, updatedAt: number, data: object = {}) => ({
  id,
  created_at: 1_700_000_000_000,
  updated_at: updatedAt,
  ...data,
})

describeEachDatabase('recording a delivery', (database) => {
  it('applies an event before it is acknowledged', async () => {
    const sync = await database.open()
    const receipt = await deliver(sync, eventOf('user.created', { id: 'user_applied', first_name: 'Ada' }))
    expect(receipt).toMatchObject({
      type: 'user.created',
      outcome: 'applied',
      resource: 'users',
      resourceId: 'user_applied',
    })
    const row = await sync.database
      .selectFrom('users')
      .selectAll()
      .where('id', '=', 'user_applied')
      .executeTakeFirstOrThrow()
    expect(row).toMatchObject({
      first_name: 'Ada',
      primary_email_address: 'ada@example.com',
      event_id: receipt.svixId,
      deleted_at: null,
    })
  })

  it('counts a redelivery as a duplicate and runs nothing again', async () => {
    const sync = await database.open()
    const event = eventOf('user.created', { id: 'user_twice' })
    const first = await deliver(sync, event, { id: 'msg_twice' })
    const second = await deliver(sync, event, { id: 'msg_twice' })
    expect([first.outcome, second.outcome]).toEqual(['applied', 'duplicate'])
    const stored = await sync.database
      .selectFrom('events')
      .selectAll()
      .where('id', '=', 'msg_twice')
      .executeTakeFirstOrThrow()
    expect(stored).toMatchObject({ deliveries: 2, body_conflict: false, outcome: 'applied' })
  })

  it('keeps the newer row when an older update arrives late', async () => {
    const sync = await database.open()
    await deliver(sync, eventOf('user.updated', user('user_late', 2_000_000_000_000, { first_name: 'New' })))
    const late = await deliver(
      sync,
      eventOf('user.updated', user('user_late', 1_900_000_000_000, { first_name: 'Old' })),
    )
    expect(late).toMatchObject({ outcome: 'stale', reason: 'older_than_row' })
    const row = await sync.database
      .selectFrom('users')
      .select('first_name')
      .where('id', '=', 'user_late')
      .executeTakeFirst()
    expect(row?.first_name).toBe('New')
  })
})
