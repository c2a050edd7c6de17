import { sql } from 'kysely'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createHandlers, createTables, type DeletionPolicy } from '../../examples/tutorial/handlers.ts'
import { describeEachDatabase, type TestDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const AT = 1_700_000_000_000

describeEachDatabase('the usual guide’s set-up', (database) => {
  describe.each(['soft', 'hard'] as const)('with %s deletion', (policy) => {
    it('takes effect once per event, in whatever order and however often they come', async () => {
      const { sync, schema } = await open(database, policy)
      const user = (type: 'user.created' | 'user.updated', name: string, at: number) =>
        eventOf(
          type,
          { id: `user_${policy}`, first_name: name, last_name: null, created_at: AT, updated_at: at },
          at,
        )
      const events = [
        user('user.updated', 'Grace', AT + 1_000),
        eventOf('organizationMembership.created', { id: `orgmem_${policy}` }),
        user('user.created', 'G.', AT),
        eventOf('organization.created', { id: `org_${policy}` }),
        eventOf('session.created', { id: `sess_${policy}`, user_id: `user_${policy}` }),
      ]
      for (const event of events) {
        const { svixId } = await deliver(sync, event)
        await deliver(sync, event, { id: svixId })
      }
      const table = (name: string) => sql.raw(`"${schema}"."${name}"`)
      const rowsOf = async (name: string) =>
        (await sql`select * from ${table(name)}`.execute(sync.database)).rows
      const settled = async () => {
        const open = await sync.handlers.count({ statuses: ['pending', 'running', 'retrying', 'dead'] })
        expect(open).toBe(0)
      }
      await vi.waitFor(settled, { timeout: 20_000, interval: 50 })
      expect(await rowsOf('app_users')).toMatchObject([
        { id: `user_${policy}`, name: 'Grace', deleted_at: null },
      ])
      expect(await rowsOf('app_outbox')).toEqual([{ kind: 'welcome', user_id: `user_${policy}` }])
      expect(await rowsOf('app_teams')).toMatchObject([{ id: `org_${policy}` }])
      expect(await rowsOf('app_members')).toMatchObject([{ id: `orgmem_${policy}` }])
      expect(await rowsOf('app_logins')).toEqual([
        { session_id: `sess_${policy}`, user_id: `user_${policy}` },
      ])

      await deliver(sync, eventOf('user.deleted', { id: `user_${policy}` }, AT + 2_000))
      await vi.waitFor(settled, { timeout: 20_000, interval: 50 })
      // A late update does not bring the user back.
      await deliver(sync, user('user.updated', 'Late', AT + 500))
      await vi.waitFor(settled, { timeout: 20_000, interval: 50 })
      const users = await rowsOf('app_users')
      if (policy === 'hard') expect(users).toEqual([])
      else expect(users).toMatchObject([{ name: 'Grace', deleted_at: expect.any(Date) }])
    })
  })
})

async function open(database: TestDatabase, policy: DeletionPolicy) {
  const { schema } = await database.location()
  const sync = await database.open({ handlers: createHandlers(schema, policy) })
  onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
  for (const statement of createTables(schema)) {
    await sql.raw(statement.replace('create table', 'create table if not exists')).execute(sync.database)
    await sql.raw(`truncate ${/"[^"]+"\.\w+/.exec(statement)?.[0]}`).execute(sync.database)
  }
  await sync.work()
  return { sync, schema }
}
