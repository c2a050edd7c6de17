/** Sessions whose time is over, many and while others write. */

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { expire } from '../../src/backfill/expiry.ts'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const EARLIER = new Date('2026-03-01T11:00:00Z')
const LATER = new Date('2026-03-01T13:00:00Z')

const end = (sync: ClerkSync, database = sync.database) =>
  expire(database, sync.location.schema, [...RESOURCES.values()], 'job_1', NOW)

/** Opens sessions with the same end, and returns their ids. */
async function openSessions(sync: ClerkSync, count: number, end: object): Promise<string[]> {
  const rows = Array.from({ length: count }, () => ({
    id: `sess_${randomBytes(8).toString('hex')}`,
    status: 'active',
    expire_at: LATER,
    abandon_at: LATER,
    ...end,
  }))
  await sync.database.insertInto('sessions').values(rows).execute()
  return rows.map(({ id }) => id)
}

async function statusesOf(sync: ClerkSync, ids: readonly string[]): Promise<(string | null)[]> {
  const rows = await sync.database.selectFrom('sessions').select('status').where('id', 'in', ids).execute()
  return [...new Set(rows.map(({ status }) => status))]
}

describeEachDatabase('sessions whose time is over', (database) => {
  it('end by what came first, however many there are', async () => {
    const sync = await database.open()
    const expired = await openSessions(sync, 2_500, { expire_at: EARLIER, abandon_at: null })
    const abandoned = await openSessions(sync, 1, { abandon_at: EARLIER })
    const both = await openSessions(sync, 1, { abandon_at: EARLIER, expire_at: EARLIER })
    const others = [
      ...(await openSessions(sync, 1, {})),
      ...(await openSessions(sync, 1, { expire_at: null, abandon_at: null })),
      ...(await openSessions(sync, 1, { expire_at: EARLIER, deleted_at: EARLIER })),
    ]
    expect(await end(sync)).toBe(2_502)
    expect(await statusesOf(sync, expired)).toEqual(['expired'])
    expect(await statusesOf(sync, [...abandoned, ...both])).toEqual(['abandoned'])
    expect(await statusesOf(sync, others)).toEqual(['active'])
    expect(await end(sync)).toBe(0)
  })
})

describeWithPostgres('a session whose time is over', (url) => {
  const database = postgresDatabase(url)

  it('is left alone while a delivery holds its row, and holds up nobody', async () => {
    const sync = await database.open()
    const [held, free] = await openSessions(sync, 2, { expire_at: EARLIER })
    await sync.database.transaction().execute(async (trx) => {
      await trx
        .selectFrom('sessions')
        .select('id')
        .where('id', '=', held as string)
        .forUpdate()
        .execute()
      expect(await end(sync)).toBe(1)
    })
    expect(await statusesOf(sync, [free as string])).toEqual(['expired'])
    expect(await end(sync)).toBe(1)
  })

  it('is found by its index', async () => {
    const sync = await database.open()
    const scans = await sync.database.transaction().execute(async (trx) => {
      // A table of a few rows is faster read as a whole.
      await sql`set local enable_seqscan = off`.execute(trx)
      await end(sync, trx)
      const index = `"${sync.location.schema}".sessions_least_idx`
      const { rows } = await sql<{ scans: string }>`
        select pg_stat_get_xact_numscans(${index}::regclass) as scans`.execute(trx)
      return Number(rows[0]?.scans)
    })
    expect(scans).toBe(1)
  })
})
