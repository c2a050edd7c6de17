/** Rows reach Postgres as they are, whatever is in them. */

import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { query } from '../../src/database/query.ts'
import type { ClerkSync } from '../../src/index.ts'
import { withRows } from '../../src/ledger/arrays.ts'
import { Bytes } from '../../src/ledger/bytes.ts'
import { describeEachDatabase } from '../support/databases.ts'

const TYPES = { a: 'text', b: 'integer', c: 'boolean', d: 'timestamptz', e: 'jsonb' }
const STATEMENT = {
  types: TYPES,
  text: `select a, b, c, d, e, $6::bytea as bytes
    from unnest(${Object.values(TYPES).map((type, index) => `$${index + 1}::${type}[]`)}) as r(a, b, c, d, e)`,
}

/** What `toStorableText` leaves, and what means something in the text of an array. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll('\u0000', '')),
  fc.constantFrom(
    '',
    'NULL',
    'null',
    '"',
    '\\',
    '\\"',
    '{}',
    '{a,b}',
    ',',
    '}',
    ' ',
    '\\N',
    '\n\r\t',
    '‘’',
    '\u2028',
  ),
)
/** Without backslashes: V8 reads the key `"` as `\\` where it has seen that one in the same place. (Node 24.21) */
const key = text.map((each) => each.replaceAll('\\', ''))
const json = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.boolean(),
      fc.integer(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    ),
  }))
  .value.filter((value) => value !== null)

const row = fc.record({
  a: fc.option(text),
  b: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  c: fc.option(fc.boolean()),
  d: fc.option(fc.integer({ min: 1, max: 253_402_300_799_999 }).map((at) => new Date(at))),
  e: fc.option(json),
})

describeEachDatabase('rows as arrays', (database) => {
  let sync: ClerkSync
  beforeAll(async () => {
    sync = await database.open()
  })

  it('come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        const bytes = new Bytes()
        bytes.add('x', Buffer.from([0, 255]))
        const found = await query(sync.database, STATEMENT.text, withRows(STATEMENT, rows, bytes).parameters)
        expect(found).toEqual(rows.map((each) => ({ ...each, bytes: expect.anything() })))
        expect(Buffer.from((found[0] as { bytes: Uint8Array }).bytes)).toEqual(Buffer.from([0, 255]))
      }),
      { numRuns: 30 },
    )
  })

  it('are null where a row has nothing, or what JSON cannot write', async () => {
    const [found] = await query(
      sync.database,
      STATEMENT.text,
      withRows(STATEMENT, [{ e: Number.POSITIVE_INFINITY }], new Bytes()).parameters,
    )
    expect(found).toMatchObject({ a: null, b: null, c: null, d: null, e: null })
  })
})
