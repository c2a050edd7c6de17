/**
 * Plans are kept as long as a connection lives. One that was made while its table was empty must not scan it when it is full.
 */

import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { PLANNING } from '../../src/database/batch.ts'
import { createStatements } from '../../src/ingest/statements.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'

describeWithPostgres('a plan that is made while all tables are empty', (url) => {
  const database = postgresDatabase(url)
  const client = new pg.Client(url)
  const texts = new Map<string, string>()

  beforeAll(async () => {
    await database.open()
    await client.connect()
    const { schema } = await database.location()
    const { recorded, notified, sweeps, replayed, updateOutcomes, ...statements } = createStatements(schema)
    for (const [name, text] of Object.entries({ recorded, notified, sweeps, replayed, updateOutcomes }))
      texts.set(name, text)
    for (const resource of RESOURCES.values()) {
      const { update, bury, erase, children } = statements.of(resource)
      const lookups = { lock: statements.lock(resource), tombstones: statements.tombstones(resource) }
      for (const [name, text] of Object.entries({ ...lookups, update, bury, erase }))
        texts.set(`${resource.table} ${name}`, text)
      for (const { childSet, clear } of children) texts.set(`${childSet.table} clear`, clear)
      for (const column of Object.keys(resource.parents ?? {}))
        texts.set(`${resource.table} dependants by ${column}`, statements.dependants(resource, column))
    }
    const settings = Object.entries(PLANNING).map(([name, value]) => `set ${name} = ${value}`)
    await client.query(settings.join(';'))
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

  it('goes by ids in every statement', async () => {
    const scans: string[] = []
    for (const [name, text] of texts) {
      const plan = await planOf(text)
      scans.push(...plan.filter((line) => line.includes('Seq Scan')).map((line) => `${name}: ${line}`))
      const reads = plan.filter((line) => /Index (Only )?Scan/.test(line)).length
      const conditions = plan.filter((line) => line.includes('Index Cond')).length
      if (conditions < reads) scans.push(`${name}: ${plan.join('\n')}`)
    }
    expect(scans).toEqual([])
    expect(texts.size).toBeGreaterThan(100)
  })

  it('finds what handlers were told of by its resource', async () => {
    const plan = await planOf(texts.get('notified') as string)
    expect(plan.filter((line) => line.includes('Index Scan'))).toEqual([
      expect.stringContaining('events_resource_id_occurred_at_idx'),
      expect.stringContaining('events_resource_id_occurred_at_idx'),
    ])
  })
})
