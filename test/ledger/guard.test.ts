/** The guard in the SQL decides as `fold.ts` does; both must, or servers that meet would never agree. */

import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import type { Resource } from '../../src/clerk/resource.ts'
import { query } from '../../src/database/query.ts'
import type { ClerkSync } from '../../src/index.ts'
import { type RowsStatement, withRows } from '../../src/ledger/arrays.ts'
import { Bytes } from '../../src/ledger/bytes.ts'
import { resourceStatements } from '../../src/ledger/statements.ts'
import { compareVersions, type Version } from '../../src/ledger/version.ts'
import { describeEachDatabase } from '../support/databases.ts'

interface Write {
  readonly version: Version
  readonly deletedAt: Date | null
}

const time = fc.integer({ min: 1, max: 3 }).map((at) => new Date(1_800_000_000_000 + at))

/** Few times and few texts, so that ties are common. In most locales `b` comes before `B`, and `ä` before `z`. */
const write: fc.Arbitrary<Write> = fc.record({
  version: fc.record({
    updatedAt: fc.option(time, { freq: 4 }),
    observedAt: time,
    raw: fc
      .constantFrom('"a"', '"b"', '"B"', '"z"', '"ä"', '"😀"', '"\uffff"')
      .map((text) => Buffer.from(text)),
  }),
  deletedAt: fc.option(time, { freq: 2 }),
})

describeEachDatabase('writing a row over another', (database) => {
  let sync: ClerkSync
  let upsert: RowsStatement
  beforeAll(async () => {
    sync = await database.open()
    upsert = resourceStatements(RESOURCES.get('users') as Resource, sync.location.schema).upsert
  })

  async function put(id: string, { version, deletedAt }: Write): Promise<void> {
    const bytes = new Bytes()
    const row = {
      id,
      clerk_updated_at: version.updatedAt,
      observed_at: version.observedAt,
      deleted_at: deletedAt,
      ...bytes.add('raw', version.raw),
    }
    await query(sync.database, upsert.text, withRows(upsert, [row], bytes).parameters)
  }

  function find(id: string) {
    return sync.database
      .selectFrom('users')
      .select(['clerk_updated_at', 'observed_at', 'deleted_at', sql<string>`raw::text`.as('text')])
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
  }

  it('keeps the newer version, and the earlier deletion', async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(write, write, async (first, second) => {
        const id = `user_guard${count++}`
        await put(id, first)
        await put(id, second)
        const isNewer = compareVersions(second.version, first.version) > 0
        const { version, deletedAt } = isNewer ? second : first
        expect(await find(id)).toEqual({
          clerk_updated_at: version.updatedAt,
          observed_at: version.observedAt,
          deleted_at: isNewer ? earlier(first.deletedAt, second.deletedAt) : deletedAt,
          text: version.raw.toString(),
        })
      }),
      { numRuns: 300 },
    )
  })
})

function earlier(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}
