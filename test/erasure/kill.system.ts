/**
 * An erasure in a process of its own, killed in the middle, and finished by another.
 *
 * EVENTS=100000 npx vitest run test/erasure/kill.system.ts erases somebody with so many events; it says how long that took.
 */

import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { on } from '../../src/index.ts'
import { CliProcess, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const EVENTS = Number(process.env.EVENTS ?? 6_000)
const ID = 'user_many'
const NAME = 'Zacharias'

const touched = on('user.updated', () => undefined, { name: 'touched' })

describeWithPostgres('an erasure that is killed with kill -9', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()

  it(`of a person with ${EVENTS} events is finished by maintenance`, { timeout: 600_000 }, async () => {
    const sync = await database.open({ handlers: [touched] })
    const { schema } = await database.location()
    await deliver(sync, eventOf('user.created', { id: ID, first_name: NAME }))
    await sql`
      with body as (select body, filed_at from ${sql.id(schema, 'event_bodies')} limit 1),
      many as (
        insert into ${sql.id(schema, 'events')} (id, type, resource, resource_id, occurred_at, outcome, body_sha256)
        select 'msg_many' || number, 'user.updated', 'users', ${ID}, now() + number * interval '1 millisecond', 'applied', sha256('')
        from generate_series(1, ${sql.lit(EVENTS)}) as number
        returning id, received_at
      )
      insert into ${sql.id(schema, 'event_bodies')} (event_id, filed_at, body)
      select many.id, many.received_at, body.body from many, body`.execute(sync.database)
    const bodies = async () => {
      const { rows } = await sql<{ count: number }>`
        select count(*)::integer as count from ${sql.id(schema, 'event_bodies')}`.execute(sync.database)
      return rows[0]?.count ?? 0
    }
    expect(await bodies()).toBe(EVENTS + 1)

    const startedAt = performance.now()
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema }
    const victim = new CliProcess(['erase', ID, '--yes'], { cwd: await folder(), env })
    onTestFinished(() => victim.send('SIGKILL'))
    await vi.waitFor(async () => expect(await bodies()).toBeLessThan(EVENTS), {
      timeout: 120_000,
      interval: 5,
    })
    expect((await victim.stop('SIGKILL')).signal).toBe('SIGKILL')
    expect(await bodies()).toBeGreaterThan(0)

    // From the first moment nothing new of the person is stored.
    const late = eventOf('user.updated', { id: ID, first_name: NAME, updated_at: Date.now() + 1_000 })
    expect(await deliver(sync, late)).toMatchObject({ outcome: 'stale', reason: 'erased' })
    // Once the lease of the dead process is over.
    await vi.waitFor(
      async () => {
        await sync.maintain()
        expect(await bodies()).toBe(0)
      },
      { timeout: 120_000, interval: 500 },
    )
    if (process.env.EVENTS)
      console.log(`${EVENTS} events: ${Math.round((performance.now() - startedAt) / 100) / 10} s`)
    const { rows } = await sql<{ raw: unknown; first_name: unknown }>`
      select raw, first_name from ${sql.id(schema, 'users')} where id = ${ID}`.execute(sync.database)
    expect(rows).toEqual([{ raw: null, first_name: null }])
    const jobs = await sync.database.selectFrom('jobs').select(['status', 'checkpoint']).execute()
    expect(jobs).toEqual([{ status: 'complete', checkpoint: null }])
  })
})
