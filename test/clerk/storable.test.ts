/** Text and JSON that end users can put into their names and metadata, and that databases choke on. */

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { CHILD_SETS, RESOURCES } from '../../src/clerk/catalogue.ts'
import { toStorableJson, toStorableText } from '../../src/clerk/storable.ts'
import { type ClerkSync, EVENT_TYPES } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, sign } from '../support/deliveries.ts'
import { eventIn } from '../support/ledger.ts'
import { findRawText, findRow } from './rows.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

/** The text of `data`, as a sender could write it. */
const userText = (id: string, rest: string) => `{"id":"${id}" , ${rest}}`
const eventText = (data: string) => `{"type":"user.updated","data":${data},"timestamp":1800000000000}`

/** Compresses to nothing shorter: Postgres compresses index entries before it measures them. */
const LONG = randomBytes(3_000).toString('base64')
/** What a column that people search by holds of it. */
const CUT = LONG.slice(0, 600)

/** The columns that are found by their text; ids are Clerk's own and short. */
const INDEXED_TEXT = [...RESOURCES.values()].flatMap(({ table, columns, indexes = [], events }) =>
  indexes
    .filter(
      (column) =>
        columns[column]?.source === undefined &&
        !column.endsWith('user_id') &&
        !column.endsWith('subscription_id'),
    )
    .map((column) => ({ table, column, type: EVENT_TYPES.find((type) => type in events) })),
)

describeEachDatabase('hostile content', (database) => {
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
  })

  it.each<[string, string, Record<string, unknown>]>([
    ['U+0000 in a name', '"first_name":"A\\u0000da"', { first_name: 'A\ufffdda' }],
    ['U+0000 in a value', '"unsafe_metadata":{"a":"\\u0000"}', { unsafe_metadata: { a: '\ufffd' } }],
    ['U+0000 in a key', '"unsafe_metadata":{"k\\u0000":1}', { unsafe_metadata: { 'k\ufffd': 1 } }],
    ['a lone high surrogate', '"last_name":"a\\ud800"', { last_name: 'a\ufffd' }],
    ['a lone low surrogate', '"unsafe_metadata":["\\udc00b"]', { unsafe_metadata: ['\ufffdb'] }],
    [
      'surrogates in the wrong order',
      '"unsafe_metadata":{"\\udc00\\ud800":1}',
      { unsafe_metadata: { '\ufffd\ufffd': 1 } },
    ],
    ['a pair of surrogates', '"first_name":"\\ud83d\\ude00"', { first_name: '😀' }],
    [
      'right-to-left and zero-width characters',
      '"first_name":"\\u202eadA\\u200d"',
      { first_name: '\u202eadA\u200d' },
    ],
    ['1e400', '"unsafe_metadata":{"n":1e400}', { unsafe_metadata: { n: null } }],
    [
      'a number of 20,000 digits',
      `"unsafe_metadata":{"n":${'7'.repeat(20_000)}}`,
      { unsafe_metadata: { n: null } },
    ],
    [
      'an integer beyond 2^53',
      '"unsafe_metadata":{"n":12345678901234567890}',
      { unsafe_metadata: { n: 12345678901234567000 } },
    ],
    ['a number where a date should be', '"last_sign_in_at":1e300', { last_sign_in_at: null }],
    [
      'a fraction where an integer should be',
      '"create_organizations_limit":1.5',
      { create_organizations_limit: null },
    ],
    ['repeated keys', '"first_name":"a","first_name":"b"', { first_name: 'b' }],
    [
      'null everywhere',
      '"unsafe_metadata":null,"email_addresses":null,"updated_at":null',
      { unsafe_metadata: null },
    ],
    ['SQL', `"first_name":"'; drop table users; --"`, { first_name: "'; drop table users; --" }],
    [
      'nesting of 200 levels',
      `"unsafe_metadata":${nested(198)}`,
      { unsafe_metadata: JSON.parse(nested(198)) },
    ],
    [
      'a name of 300,000 characters',
      `"first_name":"${'x'.repeat(300_000)}"`,
      { first_name: 'x'.repeat(300_000) },
    ],
  ])('is applied, and raw keeps its exact text: %s', async (title, rest, row) => {
    const id = `user_${title.replace(/\W+/g, '_')}`
    const data = userText(id, rest)
    const { svixId, outcome } = await deliver(sync, eventText(data))
    expect(outcome).toBe('applied')
    expect(await findRow(sync, 'users', id)).toMatchObject(row)
    expect(await findRawText(sync, 'users', id)).toBe(data)
    const event = await eventIn(sync, svixId)
    expect(Buffer.from(event.body as Uint8Array).toString()).toBe(eventText(data))
  })

  it('is applied and pollutes nothing: keys that mean something to JavaScript', async () => {
    const metadata = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    const data = userText(
      'user_proto',
      `"unsafe_metadata":${metadata},"__proto__":{"polluted":1,"first_name":"No"}`,
    )
    expect(await deliver(sync, eventText(data))).toMatchObject({ outcome: 'applied' })
    const { rows } = await sql<{ metadata: string; first_name: string | null }>`
      select unsafe_metadata::text as metadata, first_name from ${sql.id(sync.location.schema, 'users')}
      where id = 'user_proto'`.execute(sync.database)
    expect(JSON.parse(rows[0]?.metadata as string)).toEqual(JSON.parse(metadata))
    expect(rows[0]?.metadata).toContain('__proto__')
    expect(rows[0]?.first_name).toBeNull()
    expect(await findRawText(sync, 'users', 'user_proto')).toBe(data)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('is recorded with what it changed', async () => {
    const at = (time: number, rest: string) =>
      eventText(userText('user_changes', `"updated_at":${time},${rest}`))
    await deliver(sync, at(1_800_000_000_001, '"first_name":"a\\u0000","unsafe_metadata":{"n":1e400}'))
    const { svixId } = await deliver(sync, at(1_800_000_000_002, '"first_name":"\\ud800"'))
    expect(await eventIn(sync, svixId)).toMatchObject({
      changes: { first_name: { from: 'a\u0000', to: '\ud800' } },
    })
  })

  it('is applied inside sets, where an odd id is part of the key', async () => {
    const members = `[{"id":"a\\u0000","email_address":"a@b.c\\ud800"},{"id":"__proto__"},{"unsafe":${nested(100)}}]`
    const data = userText('user_odd_sets', `"email_addresses":${members}`)
    expect(await deliver(sync, eventText(data))).toMatchObject({ outcome: 'applied' })
    expect(await findRow(sync, 'email_addresses', 'a\ufffd')).toMatchObject({ email_address: 'a@b.c\ufffd' })
    expect(await findRow(sync, 'email_addresses', '__proto__')).toBeDefined()
  })

  it('is parked, not lost, when it nests deeper than 200 levels, and the database goes on', async () => {
    for (const levels of [199, 6_000, 200_000]) {
      const id = `user_deep_${levels}`
      const body = eventText(userText(id, `"unsafe_metadata":${nested(levels)}`))
      const { svixId, ...receipt } = await deliver(sync, body)
      expect(receipt).toMatchObject({ outcome: 'parked', reason: 'too_deep', type: null })
      const event = await eventIn(sync, svixId)
      expect(Buffer.from(event.body as Uint8Array).equals(Buffer.from(body))).toBe(true)
    }
    expect(await deliver(sync, eventText(userText('user_after', '"banned":false')))).toMatchObject({
      outcome: 'applied',
    })
  })

  it('is applied under an id that can be stored when even the id cannot', async () => {
    const receipt = await deliver(sync, '{"type":"user.updated","data":{"id":"user_\\u0000"}}')
    expect(receipt).toMatchObject({ outcome: 'applied', resourceId: 'user_\ufffd' })
    expect(await findRow(sync, 'users', 'user_\ufffd')).toMatchObject({ raw: { id: 'user_\u0000' } })
  })

  it('is parked when its type holds what the database cannot', async () => {
    const receipt = await deliver(sync, '{"type":"user.\\u0000\\ud800","data":{"id":"user_1"}}')
    expect(receipt).toMatchObject({ outcome: 'parked', reason: 'unknown_type', type: 'user.\ufffd\ufffd' })
  })

  it('of many kinds at once is applied together with what is harmless', async () => {
    const names = ['\\u0000', '\\ud800', '\\u202e', 'plain']
    const receipts = await Promise.all(
      names.map((name, index) =>
        deliver(sync, eventText(userText(`user_together_${index}`, `"username":"${name}"`))),
      ),
    )
    expect(receipts.map((receipt) => receipt.outcome)).toEqual(names.map(() => 'applied'))
  })

  it('of 1 MiB is taken whole', async () => {
    const { headers, body } = sign(
      eventText(userText('user_large', `"unsafe_metadata":{"x":"${'é'.repeat(500_000)}"}`)),
    )
    expect(await sync.receive(body, headers)).toMatchObject({ outcome: 'applied' })
  })

  it.each(INDEXED_TEXT.filter(({ type }) => type !== undefined))(
    'of 4,000 characters fits into the index of $table.$column, and is found by its beginning',
    async ({ table, column, type }) => {
      const data = { id: `long_${column}`, [column]: LONG }
      expect(await deliver(sync, { type, data })).toMatchObject({ outcome: 'applied', resource: table })
      const { rows } = await sql<{ id: string }>`
        select id from ${sql.id(sync.location.schema, table)} where ${sql.id(column)} = ${CUT}`.execute(
        sync.database,
      )
      expect(rows).toEqual([{ id: data.id }])
    },
  )

  it.each(
    Object.values(CHILD_SETS).flatMap(({ table, indexes = [] }) =>
      indexes.map((column) => ({ table, column })),
    ),
  )('of 4,000 characters fits into the index of $table.$column', async ({ table, column }) => {
    const data = { id: `user_with_long_${table}`, [table]: [{ id: `long_${table}`, [column]: LONG }] }
    expect(await deliver(sync, { type: 'user.updated', data })).toMatchObject({ outcome: 'applied' })
  })

  it('of 4,000 characters fits into the index of invitations, and of a user’s primary address', async () => {
    const invitation = { id: 'inv_long', email_address: LONG, updated_at: 1_800_000_000_000 }
    expect(
      await deliver(sync, { type: 'waitlistEntry.created', data: { id: 'wle_long', invitation } }),
    ).toMatchObject({ outcome: 'applied' })
    const primary = {
      primary_email_address_id: 'idn_long',
      email_addresses: [{ id: 'idn_long', email_address: LONG }],
    }
    expect(
      await deliver(sync, { type: 'user.updated', data: { id: 'user_long', ...primary } }),
    ).toMatchObject({ outcome: 'applied' })
    expect(await findRow(sync, 'users', 'user_long')).toMatchObject({ primary_email_address: CUT })
  })

  it('of 4,000 characters as an id is no event of Clerk’s: parked as the event’s, recorded as failed as its parent’s', async () => {
    expect(await deliver(sync, { type: 'user.updated', data: { id: LONG } })).toMatchObject({
      outcome: 'parked',
    })
    const session = { type: 'session.created', data: { id: 'sess_long', user_id: LONG } }
    expect(await deliver(sync, session)).toMatchObject({ outcome: 'failed', reason: 'rejected_by_database' })
  })

  it('of 4,000 characters was tried on every index on text', () => {
    const untried = INDEXED_TEXT.filter(({ type }) => type === undefined)
    for (const { table } of untried) expect(RESOURCES.get(table)?.events, table).toEqual({})
    expect(INDEXED_TEXT.length).toBeGreaterThan(8)
  })
})

describe('making text storable', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['a\u0000b', 'a\ufffdb'],
    ['\ud800', '\ufffd'],
    ['\udc00\ud800', '\ufffd\ufffd'],
    ['😀', '😀'],
  ])('turns %j into %j', (text, storable) => {
    expect(toStorableText(text)).toBe(storable)
  })

  it('gives the very same JSON back when there is nothing to change', () => {
    const value = { a: [1, 'b', { c: null }], d: true }
    expect(toStorableJson(value)).toBe(value)
  })

  it.each<[unknown, unknown]>([
    [{ deep: [{ 'k\u0000': 1 }] }, { deep: [{ 'k\ufffd': 1 }] }],
    [{ deep: [{ k: ['\ud800'] }] }, { deep: [{ k: ['\ufffd'] }] }],
    ['\u0000', '\ufffd'],
  ])('changes keys and values at any depth, in a copy: %j', (value, storable) => {
    const before = structuredClone(value)
    expect(toStorableJson(value)).toEqual(storable)
    expect(value).toEqual(before)
  })

  it('keeps a key that JavaScript would take for the prototype', () => {
    const storable = toStorableJson(JSON.parse('{"__proto__":{"a":"\\u0000"}}'))
    expect(JSON.stringify(storable)).toBe('{"__proto__":{"a":"\ufffd"}}')
  })
})
