/**
 * Plans are kept as long as a connection lives. One that was made while its table was empty must not scan it when it is full.
 */

import { hash } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { PLANNING } from '../../src/database/batch.ts'
import { createStatements } from '../../src/ingest/statements.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

describeWithPostgres('a plan that is made while all tables are empty', (url) => {
  const database = postgresDatabase(url)
  const client = new pg.Client(url)
  const texts = new Map<string, string>()
  const firstColumns = new Map<string, string>()

  beforeAll(async () => {
    await database.open()
    await client.connect()
    const { schema } = await database.location()
    const { recorded, notified, sweeps, ...statements } = createStatements(schema)
    for (const [name, text] of Object.entries({ recorded, notified, sweeps })) texts.set(name, text)
    for (const resource of RESOURCES.values()) {
      const { update, tombstone, erase, children } = statements.of(resource)
      const lookups = { lock: statements.lock(resource), tombstones: statements.tombstones(resource) }
      for (const [name, text] of Object.entries({ ...lookups, update, tombstone, erase }))
        texts.set(`${resource.table} ${name}`, text)
      for (const { childSet, clear } of children) texts.set(`${childSet.table} clear`, clear)
      for (const column of Object.keys(resource.parents ?? {}))
        texts.set(`${resource.table} dependants by ${column}`, statements.dependants(resource, column))
    }
    const settings = Object.entries(PLANNING).map(([name, value]) => `set ${name} = ${value}`)
    await client.query(settings.join(';'))
    const { rows } = await client.query<{ index: string; column: string }>(
      `select relname as index, pg_get_indexdef(indexrelid, 1, false) as column
       from pg_index join pg_class on pg_class.oid = indexrelid where relnamespace = $1::regnamespace`,
      [schema],
    )
    for (const { index, column } of rows) firstColumns.set(index, column)
  })
  afterAll(() => client.end())

  async function planOf(text: string): Promise<string[]> {
    const count = new Set(text.match(/\$\d+/g)).size
    await client.query(`prepare planned as ${text}`)
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain execute planned(${Array(count).fill('null')})`,
    )
    await client.query('deallocate planned')
    return rows.map((row) => row['QUERY PLAN'])
  }

  /** The lines that read a table, or an index, from end to end: its first column is in no condition. */
  function scansOf(plan: readonly string[]): string[] {
    return plan.flatMap((line, at) => {
      if (line.includes('Seq Scan')) return [line]
      const index = / Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)/.exec(line)?.[1]
      if (index === undefined) return []
      const condition = plan[at + 1]?.split('Index Cond: ')[1] ?? ''
      return condition.includes(`(${firstColumns.get(index)} `) ? [] : [line, condition]
    })
  }

  async function analyze(): Promise<void> {
    const { schema } = await database.location()
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = $1`,
      [schema],
    )
    await client.query(`analyze ${rows.map(({ name }) => name)}`)
  }

  async function scans(): Promise<string[]> {
    const found: string[] = []
    for (const [name, text] of texts)
      found.push(...scansOf(await planOf(text)).map((line) => `${name}: ${line}`))
    return found
  }

  it('goes down an index by what is asked for, in every statement', async () => {
    expect(await scans()).toEqual([])
    expect(texts.size).toBeGreaterThan(100)
  })

  it('does so where Postgres knows that the tables are empty', async () => {
    await analyze()
    expect(await scans()).toEqual([])
  })

  // Their ids do not: an index that begins with the time then looks cheaper than the primary key.
  it('does so where Postgres knows that few rows stand in the order of their times', async () => {
    const sync = await database.open()
    for (let serial = 0; serial < 40; serial++)
      await deliver(sync, eventOf('user.created', { id: `user_${serial}` }), {
        id: `msg_${hash('md5', `${serial}`)}`,
      })
    await analyze()
    expect(await scans()).toEqual([])
  })

  it('does so where it knows that of rows which are gone', async () => {
    const { schema } = await database.location()
    await client.query(`truncate ${schema}.events, ${schema}.users, ${schema}.email_addresses`)
    await analyze()
    expect(await scans()).toEqual([])
  })

  it('finds what handlers were told of by its resource', async () => {
    const plan = await planOf(texts.get('notified') as string)
    expect(plan.filter((line) => line.includes('Index Scan'))).toEqual([
      expect.stringContaining('events_resource_id_occurred_at_idx'),
      expect.stringContaining('events_resource_id_occurred_at_idx'),
    ])
  })
})
