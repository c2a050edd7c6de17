/**
 * Integers beyond 2^53 in jsonb columns. `JSON.parse` rounds them; Postgres' jsonb would hold them exactly. `raw` has them
 * as Clerk sent them, the columns do not yet: the tests of columns are marked as failing, and say so once they pass.
 *
 * How the columns get them without slowing other events: a body without sixteen digits in a row has no such integer, which
 * one pass over its bytes tells. Only for the others, the bytes of `data` are parsed a second time, with a reviver that
 * replaces an unsafe integer by `JSON.rawJSON(context.source)`. `JSON.stringify` writes such a value as the digits that
 * arrived, so that the encoder of jsonb columns needs to know nothing of it. What handlers are given stays made of
 * numbers. `toStorableJson` must leave these values as they are (`JSON.isRawJSON`), and so must the comparison that says
 * what an event changed.
 */

import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'

const EXACT = ['9007199254740993', '-9223372036854775808', '12345678901234567890123456789'] as const

const bodyOf = (id: string, metadata: string) =>
  `{"type":"user.created","data":{"id":"${id}","public_metadata":${metadata},"updated_at":1800000000000},"timestamp":1800000000000}`

describeEachDatabase('an integer beyond 2^53', (database) => {
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

  it.fails.each(EXACT)('%s is exact in a jsonb column', async (digits) => {
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
})
