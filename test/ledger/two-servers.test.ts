import { expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const T = 1_800_000_000_000

describeWithPostgres('two servers on one database', (url) => {
  const database = postgresDatabase(url)
  const openBoth = () => Promise.all([database.open(), database.open()])

  it('record one message once when both get it at the same moment', async () => {
    const [a, b] = await openBoth()
    const outcomes: string[] = []
    for (let round = 0; round < 30; round++) {
      const event = eventOf('user.created', { id: `user_both${round}` })
      const receipts = await Promise.all(
        [a, b, a, b].map((sync) => deliver(sync, event, { id: `msg_both${round}` })),
      )
      outcomes.push(
        receipts
          .map((receipt) => receipt.outcome)
          .sort()
          .join(),
      )
    }
    expect(new Set(outcomes)).toEqual(new Set(['applied,duplicate,duplicate,duplicate']))
    const rows = await a.database
      .selectFrom('events')
      .select('deliveries')
      .where('id', 'like', 'msg\\_both%')
      .execute()
    expect(rows).toEqual(Array(30).fill({ deliveries: 4 }))
  })

  it('keep the newest state of one user that both hear of', async () => {
    const [a, b] = await openBoth()
    for (let round = 0; round < 20; round++) {
      const id = `user_race${round}`
      const events = Array.from({ length: 10 }, (_, at) =>
        eventOf('user.updated', { id, updated_at: T + at, first_name: `v${at}` }, T + at),
      )
      await Promise.all(shuffle(events, round).map((event, index) => deliver(index % 2 ? a : b, event)))
      const row = await a.database
        .selectFrom('users')
        .select('first_name')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      expect(row.first_name).toBe('v9')
    }
  })

  it('delete a membership that one writes while the other deletes its organization', async () => {
    const [a, b] = await openBoth()
    for (let round = 0; round < 60; round++) {
      const organization = `org_family${round}`
      const membership = eventOf('organizationMembership.created', {
        id: `orgmem_family${round}`,
        organization: { id: organization },
        public_user_data: { user_id: `user_family${round}` },
      })
      const deletion: ClerkEvent = {
        ...eventOf('organization.deleted', {}, T),
        data: { id: organization, deleted: true },
      }
      await Promise.all([deliver(a, membership), deliver(b, deletion)])
    }
    const alive = await a.database
      .selectFrom('organization_memberships')
      .select('id')
      .where('id', 'like', 'orgmem\\_family%')
      .where('deleted_at', 'is', null)
      .execute()
    expect(alive).toEqual([])
  })

  it('never deadlock for good when batches touch the same rows in opposite orders', async () => {
    const [a, b] = await openBoth()
    const send = (sync: ClerkSync, order: number[], at: number) =>
      order.map((index) =>
        deliver(sync, eventOf('user.updated', { id: `user_lock${index}`, updated_at: T + at }, T + at)),
      )
    const indexes = Array.from({ length: 40 }, (_, index) => index)
    for (let round = 0; round < 15; round++) {
      const receipts = await Promise.all([
        ...send(a, indexes, round * 2),
        ...send(b, [...indexes].reverse(), round * 2 + 1),
      ])
      expect(receipts.every((receipt) => ['applied', 'stale'].includes(receipt.outcome))).toBe(true)
    }
  })
})

function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  let state = seed + 1
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
  return items
    .map((item) => ({ item, key: random() }))
    .sort((x, y) => x.key - y.key)
    .map(({ item }) => item)
}
