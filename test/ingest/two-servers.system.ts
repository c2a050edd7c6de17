import { sql } from 'kysely'
import pg from 'pg'
import { expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync, Receipt } from '../../src/index.ts'
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
      // Of an unknown type nothing is applied: then the servers meet nowhere but at the record.
      const event =
        round % 2
          ? eventOf('user.created', { id: `user_both${round}` })
          : { type: 'galaxy.created', data: { id: 'gal_both' } }
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
    expect(new Set(outcomes)).toEqual(
      new Set(['applied,duplicate,duplicate,duplicate', 'duplicate,duplicate,duplicate,parked']),
    )
    const rows = await a.database
      .selectFrom('events')
      .select('deliveries')
      .where('id', 'like', 'msg\\_both%')
      .execute()
    expect(rows).toEqual(Array(30).fill({ deliveries: 4 }))
  })

  it('keep the newest state of one user that both hear of, and know what each event changed', async () => {
    const [a, b] = await openBoth()
    for (let round = 0; round < 20; round++) {
      const id = `user_race${round}`
      const stateOf = (at: number) => ({
        first_name: `v${at}`,
        // No two states share a member: then nothing but the rows themselves tells that they moved.
        email_addresses: [{ id: `idn_race${round}_${at}` }],
        phone_numbers: [],
        external_accounts: [],
      })
      const events = Array.from({ length: 10 }, (_, at) =>
        eventOf('user.updated', { id, updated_at: T + at, ...stateOf(at) }, T + at),
      )
      const shuffled = shuffle(events, round)
      const receipts = await Promise.all([
        deliverInTurn(a, shuffled.slice(0, 5)),
        deliverInTurn(b, shuffled.slice(5)),
      ])
      const row = await a.database
        .selectFrom('users')
        .select('first_name')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      expect(row.first_name).toBe('v9')
      const addresses = await a.database
        .selectFrom('email_addresses')
        .select('id')
        .where('user_id', '=', id)
        .execute()
      expect(addresses).toEqual([{ id: `idn_race${round}_9` }])
      expectChain(receipts.flat())
    }
  })

  it('acknowledge no copy of a message before one of them is committed, even if one dies while it has it', async () => {
    const { schema, database: address } = await database.location()
    const dying = await database.open({ database: { connectionString: address, application_name: schema } })
    const surviving = await database.open()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await deliver(surviving, eventOf('user.created', { id: 'user_held', updated_at: T }))
    await client.query(`begin; select from "${schema}".users where id = 'user_held' for update`)

    const event = eventOf('user.updated', { id: 'user_held', updated_at: T + 1 })
    const copies = [dying, surviving].map((sync) =>
      deliver(sync, event, { id: 'msg_held' }).then(
        ({ outcome }) => outcome,
        ({ status }) => status,
      ),
    )
    const isWaiting = sql<{ pid: number }>`
      select pid from pg_stat_activity where application_name = ${schema} and wait_event_type = 'Lock'`
    let waiting: { pid: number }[] = []
    while (waiting.length === 0) waiting = (await isWaiting.execute(surviving.database)).rows
    await client.query('select pg_terminate_backend($1)', [waiting[0]?.pid])
    expect(await copies[0]).toBe(503)
    await client.query('rollback')
    await client.end()

    expect(await copies[1]).toBe('applied')
    expect(await deliver(dying, event, { id: 'msg_held' })).toMatchObject({ outcome: 'duplicate' })
    const rows = await surviving.database
      .selectFrom('events')
      .select(['outcome', 'deliveries'])
      .where('id', '=', 'msg_held')
      .execute()
    expect(rows).toEqual([{ outcome: 'applied', deliveries: 2 }])
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

async function deliverInTurn(sync: ClerkSync, events: readonly ClerkEvent[]): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  for (const event of events) receipts.push(await deliver(sync, event))
  return receipts
}

/** Each event that was applied started where another one ended, but for the first. */
function expectChain(receipts: readonly Receipt[]): void {
  const applied = receipts.filter(({ outcome }) => outcome === 'applied')
  const names = applied.map(({ changes }) => changes?.first_name)
  const froms = names.flatMap((name) => (name ? [name.from] : []))
  const tos = names.flatMap((name) => (name ? [name.to] : []))
  expect(froms).toHaveLength(applied.length - 1)
  expect(new Set(froms).size).toBe(froms.length)
  expect(froms.filter((from) => !tos.includes(from))).toHaveLength(Math.min(1, froms.length))
}

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
