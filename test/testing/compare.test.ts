import { sql, type Transaction } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import { CATALOGUE, CHILD_SETS } from '../../src/clerk/catalogue.ts'
import type { Columns, Resource } from '../../src/clerk/resource.ts'
import type { ClerkSync, ClerkTables } from '../../src/index.ts'
import { compareTables, type TableComparison } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliverAll, liveThrough, signAll } from './histories.ts'

/** No event tells of these; tests of the Backend API look at them. */
const SILENT = ['plan_features', ...Object.values(CATALOGUE).flatMap(silentTable)]

function silentTable({ table, events }: Resource): string[] {
  return Object.keys(events).length > 0 || table === 'invitations' ? [] : [table]
}

const TABLES = Object.entries({ ...CATALOGUE, ...CHILD_SETS } as Record<string, { columns: Columns }>).filter(
  ([table]) => !SILENT.includes(table),
)

/** Enough for a live row in each of the tables. */
const { clerk, events } = liveThrough(39, 500)

/** Another value of each type, whatever is there. */
const OTHER_VALUES = {
  text: (column: string) => `coalesce(${column}, '') || '.'`,
  boolean: (column: string) => `not coalesce(${column}, false)`,
  bigint: (column: string) => `coalesce(${column}, 0) + 1`,
  integer: (column: string) => `coalesce(${column}, 0) + 1`,
  timestamptz: (column: string) => `coalesce(${column}, now()) + interval '1 millisecond'`,
  jsonb: (column: string) => `jsonb_build_array(coalesce(${column}, 'null'))`,
}

describeEachDatabase('comparing the tables with a simulated Clerk', (database) => {
  let sync: ClerkSync

  beforeAll(async () => {
    sync = await database.open()
    await deliverAll([sync], signAll(events), new Random(1))
  })

  it('finds nothing where nothing differs', async () => {
    const all = await compareTables(sync.database, clerk)
    const comparisons = all.filter(({ table }) => !SILENT.includes(table))
    expect(all).toHaveLength(TABLES.length + SILENT.length)
    expect(comparisons.map(({ table }) => table).sort()).toEqual(TABLES.map(([table]) => table).sort())
    for (const { table, expected, actual, differences, differenceCount } of comparisons) {
      expect({ differences, differenceCount }, table).toEqual({ differences: [], differenceCount: 0 })
      expect(actual, table).toBe(expected)
      expect(expected, table).toBeGreaterThan(0)
    }
  })

  it('finds a changed value in every column of every table', async () => {
    const comparisons = await compareWith(async (trx) => {
      for (const [table, { columns }] of TABLES) await changeEveryColumn(trx, table, columns)
    })
    for (const [table, { columns }] of TABLES) {
      const { differences, differenceCount } = comparisons.get(table) as TableComparison
      const raw = table in CHILD_SETS ? [] : ['raw']
      const names = [...Object.keys(columns), 'clerk_created_at', 'clerk_updated_at', ...raw]
      expect(differenceCount, table).toBe(names.length)
      expect(differences, table).toHaveLength(Math.min(names.length, 20))
      expect(names, table).toEqual(expect.arrayContaining(differences.map(({ column }) => column)))
      for (const { column, expected, actual } of differences) {
        expect(actual, `${table}.${column}`).not.toEqual(expected)
      }
    }
  })

  it('finds another spelling of the same JSON', async () => {
    const id = anyId('users')
    const comparisons = await compareWith((trx) =>
      trx.updateTable('users').set({ raw: sql`(raw::text || ' ')::json` }).where('id', '=', id).execute(),
    )
    expect(comparisons.get('users')).toMatchObject({
      differenceCount: 1,
      differences: [{ id, column: 'raw' }],
    })
  })

  it.each(['users', 'organization_memberships', 'emails'] as const)(
    'finds a missing row of %s',
    async (table) => {
      const id = anyId(table)
      const comparisons = await compareWith((trx) => trx.deleteFrom(table).where('id', '=', id).execute())
      const { expected, actual, differences, differenceCount } = comparisons.get(table) as TableComparison
      expect(actual).toBe(expected - 1)
      expect(differenceCount).toBe(1)
      expect(differences).toEqual([{ id, column: 'id', expected: id, actual: null }])
    },
  )

  it('finds a missing member of a set', async () => {
    const user = [...clerk.resources('users').values()].find(({ phone_numbers }) => phone_numbers?.length)
    const id = String(user?.phone_numbers?.[0]?.id)
    const comparisons = await compareWith((trx) =>
      trx.deleteFrom('phone_numbers').where('id', '=', id).execute(),
    )
    expect(comparisons.get('phone_numbers')).toMatchObject({
      differenceCount: 1,
      differences: [{ id, column: 'id', expected: id, actual: null }],
    })
  })

  it('finds rows of what Clerk never had', async () => {
    const comparisons = await compareWith(async (trx) => {
      await insert(trx, 'roles', { id: 'role_stranger' })
      await insert(trx, 'email_addresses', { id: 'idn_stranger', user_id: 'user_stranger' })
      await insert(trx, 'email_addresses', { id: 'idn_stranger', user_id: anyId('users') })
    })
    const stranger = (id: string) => ({ id, column: 'id', expected: null, actual: id })
    expect(comparisons.get('roles')).toMatchObject({
      differenceCount: 1,
      differences: [stranger('role_stranger')],
    })
    const addresses = comparisons.get('email_addresses') as TableComparison
    expect(addresses.actual).toBe(addresses.expected + 2)
    expect(addresses.differences).toEqual([stranger('idn_stranger'), stranger('idn_stranger')])
  })

  it('finds rows that came back to life, and counts them all', async () => {
    const comparisons = await compareWith((trx) =>
      trx.updateTable('organization_memberships').set({ deleted_at: null }).execute(),
    )
    const { expected, actual, differences, differenceCount } = comparisons.get(
      'organization_memberships',
    ) as TableComparison
    expect(differenceCount).toBeGreaterThan(20)
    expect(actual).toBe(expected + differenceCount)
    expect(differences).toHaveLength(20)
    for (const { id, column } of differences) {
      expect(column).toBe('deleted_at')
      expect(clerk.deletedIds('organization_memberships').has(id)).toBe(true)
    }
  })

  it('finds rows that were deleted by mistake', async () => {
    const comparisons = await compareWith((trx) =>
      trx.updateTable('organizations').set({ deleted_at: new Date() }).execute(),
    )
    const { expected, actual, differenceCount } = comparisons.get('organizations') as TableComparison
    expect([actual, differenceCount]).toEqual([0, expected])
  })

  it('reads large tables in batches', async () => {
    const { clerk: crowded } = liveThrough(1, 0)
    for (let users = 0; users < 1_201; users++) crowded.act('createUser')
    const before = await compareTables(sync.database, crowded)
    const strangers = clerk.resources('users').size
    expect(before[0]).toMatchObject({
      expected: 1_201,
      actual: strangers,
      differenceCount: 1_201 + strangers,
    })
  })

  /** Compares after some changes, which are then undone. */
  async function compareWith(
    change: (trx: Transaction<ClerkTables>) => Promise<unknown>,
  ): Promise<Map<string, TableComparison>> {
    let comparisons: TableComparison[] = []
    const undo = new Error('undo')
    await sync.database
      .transaction()
      .execute(async (trx) => {
        await change(trx)
        comparisons = await compareTables(trx, clerk)
        throw undo
      })
      .catch((error) => {
        if (error !== undo) throw error
      })
    return new Map(comparisons.map((comparison) => [comparison.table, comparison]))
  }
})

async function changeEveryColumn(
  trx: Transaction<ClerkTables>,
  table: string,
  columns: Columns,
): Promise<void> {
  const types = Object.entries(columns).map(([name, { sqlType }]) => [name, sqlType] as const)
  const clocks = ['clerk_created_at', 'clerk_updated_at'].map((name) => [name, 'timestamptz'] as const)
  const values = [...types, ...clocks].map(([name, type]) => [name, sql.raw(OTHER_VALUES[type](`"${name}"`))])
  await trx
    .updateTable(table as 'users')
    .set({
      ...Object.fromEntries(values),
      ...(table in CHILD_SETS ? {} : { raw: sql`json_build_array(raw)` }),
    })
    .where('id', '=', (query) =>
      query
        .selectFrom(table as 'users')
        .select('id')
        .where('deleted_at', 'is', null)
        .limit(1),
    )
    .execute()
}

function insert(trx: Transaction<ClerkTables>, table: string, row: object): Promise<unknown> {
  return trx
    .insertInto(table as 'users')
    .values(row as never)
    .execute()
}

function anyId(table: 'users' | 'organization_memberships' | 'emails'): string {
  return [...clerk.resources(table).keys()].at(-1) as string
}
