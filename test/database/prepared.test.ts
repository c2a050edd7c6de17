/** What the ledger's connections do for speed, and that it costs nobody their data. */

import { sql, type Transaction } from 'kysely'
import { afterEach, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { failureKind } from '../../src/database/failure.ts'
import { prepared } from '../../src/database/prepared.ts'
import { query, queryAll } from '../../src/database/query.ts'
import type { ClerkTables } from '../../src/database/tables.ts'
import { describeWithPostgres } from '../support/databases.ts'

const ADD = prepared('select $1::int + 1 as sum')

describeWithPostgres('the connections for deliveries', (url) => {
  const opened: Database[] = []
  afterEach(() => Promise.all(opened.splice(0).map((each) => each.close())))

  function open() {
    const database = openDatabase(url, 'public')
    opened.push(database)
    return {
      queries: database.queries,
      transaction: <Result>(work: (trx: Transaction<ClerkTables>) => Promise<Result>) =>
        database.ingest.transaction().execute(work),
    }
  }

  const preparedNames = (trx: Transaction<ClerkTables>) =>
    query<{ name: string }>(trx, 'select name from pg_prepared_statements')

  it('prepare what is marked, once, and nothing else', async () => {
    const { transaction } = open()
    for (const number of [1, 2]) {
      const names = await transaction(async (trx) => {
        expect(await query(trx, ADD, [number])).toEqual([{ sum: number + 1 }])
        expect(await query(trx, 'select $1::text as other', ['x'])).toEqual([{ other: 'x' }])
        return preparedNames(trx)
      })
      expect(names).toEqual([{ name: expect.stringMatching(/^clerk_sync_[0-9a-f]{32}$/) }])
    }
  })

  it('go on unprepared once a pooler has put a transaction where nothing is prepared', async () => {
    const { transaction } = open()
    await transaction(async (trx) => {
      await query(trx, ADD, [1])
      await sql`deallocate all`.execute(trx)
    })
    const failure = await transaction((trx) => query(trx, ADD, [1])).catch((error: unknown) => error)
    // So that the ledger runs its batch again.
    expect(failureKind(failure)).toBe('conflict')
    const names = await transaction(async (trx) => {
      expect(await query(trx, ADD, [1])).toEqual([{ sum: 2 }])
      return preparedNames(trx)
    })
    expect(names).toEqual([])
  })

  it('limit the time of a statement within a transaction, and leave the session as it was', async () => {
    const { transaction, queries } = open()
    const show = 'show statement_timeout'
    expect(await transaction((trx) => query(trx, show))).toEqual([{ statement_timeout: '12s' }])
    expect(await query(queries, show)).toEqual([{ statement_timeout: '0' }])
  })

  it('send statements without waiting, and answer each with its own rows', async () => {
    const { transaction } = open()
    const statements = [1, 2, 3].map((number) => ({ text: ADD, parameters: [number] }))
    expect(await transaction((trx) => queryAll(trx, statements))).toEqual([
      [{ sum: 2 }],
      [{ sum: 3 }],
      [{ sum: 4 }],
    ])
  })

  it('fail with what failed first, and are of use again afterwards', async () => {
    const { transaction } = open()
    const statements = [
      { text: ADD, parameters: [1] },
      { text: 'select 1 / $1::int', parameters: [0] },
      { text: ADD, parameters: [1] },
    ]
    await expect(transaction((trx) => queryAll(trx, statements))).rejects.toThrow('division by zero')
    expect(await transaction((trx) => query(trx, ADD, [41]))).toEqual([{ sum: 42 }])
  })
})
