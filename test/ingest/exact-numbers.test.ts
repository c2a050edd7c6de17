/**
 * Integers beyond 2^53, which `JSON.parse` rounds and Postgres' jsonb holds exactly: in `raw`, in columns, in what is inside
 * other resources, and in a row that is completed from a part.
 */

import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'

const EXACT = [
  '9007199254740993',
  '-9223372036854775808',
  '12345678901234567890123456789',
  // Rounded, it is 0.1, which does not look rounded.
  '0.1000000000000000055511151231257827',
] as const

const bodyOf = (id: string, metadata: string) =>
  `{"type":"user.created","data":{"id":"${id}","public_metadata":${metadata},"updated_at":1800000000000},"timestamp":1800000000000}`

describeEachDatabase('a number with more digits than JavaScript keeps', (database) => {
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
  })

  /** The text that a column holds, which no driver has parsed. */
  async function textOf(column: 'public_metadata' | 'raw', id: string): Promise<string | undefined> {
    const row = await sync.database
      .selectFrom('users')
      .select(sql<string>`${sql.ref(column)}::text`.as('text'))
      .where('id', '=', id)
      .executeTakeFirst()
    return row?.text
  }

  it.each(EXACT)('%s is exact in raw', async (digits) => {
    await deliver(sync, bodyOf(`user_raw${digits}`, `{"n":${digits}}`))
    expect(await textOf('raw', `user_raw${digits}`)).toContain(`"n":${digits}`)
  })

  it.each(EXACT)('%s is exact in a jsonb column', async (digits) => {
    await deliver(sync, bodyOf(`user_column${digits}`, `{"n":${digits},"list":[{"m":${digits}}]}`))
    const text = (await textOf('public_metadata', `user_column${digits}`))?.replaceAll(' ', '')
    expect(text).toContain(`"n":${digits}`)
    expect(text).toContain(`"m":${digits}`)
  })

  it('as text, and integers below, are what they were', async () => {
    await deliver(sync, bodyOf('user_text', '{"a":"9007199254740993","b":9007199254740991,"c":1.5}'))
    const text = (await textOf('public_metadata', 'user_text'))?.replaceAll(' ', '')
    expect(JSON.parse(text ?? '')).toEqual({ a: '9007199254740993', b: 9007199254740991, c: 1.5 })
  })

  it('is exact in a resource inside another, and in a member of a set', async () => {
    const invitation = `{"id":"inv_exact","email_address":"a@example.com","public_metadata":{"n":${EXACT[0]}},"updated_at":1800000000000}`
    const entry = `{"id":"waitlist_exact","email_address":"a@example.com","invitation":${invitation},"updated_at":1800000000000}`
    await deliver(sync, `{"type":"waitlistEntry.created","data":${entry},"timestamp":1800000000000}`)
    const table = sql.id(sync.location.schema, 'invitations')
    const texts = await sql<{ text: string }>`
      select public_metadata::text as text from ${table} where id = 'inv_exact'
      union all select raw::text from ${table} where id = 'inv_exact'`.execute(sync.database)
    expect(texts.rows).toHaveLength(2)
    for (const { text } of texts.rows) expect(text).toContain(EXACT[0])
    const account = `[{"id":"eac_1","public_metadata":{"n":${EXACT[1]}},"provider":"oauth_x"}]`
    await deliver(
      sync,
      `{"type":"user.created","data":{"id":"user_set","external_accounts":${account},"updated_at":1800000000000},"timestamp":1800000000000}`,
    )
    const accounts = await sql<{ text: string }>`
      select public_metadata::text as text from ${sql.id(sync.location.schema, 'external_accounts')}
      where user_id = 'user_set'`.execute(sync.database)
    expect(accounts.rows[0]?.text).toContain(EXACT[1])
  })

  it('leaves numbers that a text cannot hold as they were', async () => {
    await deliver(sync, bodyOf('user_huge', `{"a":1e999,"b":1e21,"c":[${EXACT[0]},"\\u0000"]}`))
    const text = (await textOf('public_metadata', 'user_huge'))?.replaceAll(' ', '')
    expect(text).toContain('"a":null')
    expect(text).toContain(`"c":[${EXACT[0]},"\ufffd"]`)
  })
})
