/** What is asked of Clerk keeps to the tables that are kept, and what the database refuses is no success. */

import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { ask, refusal } from '../dashboard/client.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { emptyAll, scenes } from './scenes.ts'

describeEachDatabase('asking Clerk', (database) => {
  const { serve, open } = scenes(database)

  async function begin(resources?: readonly ('users' | 'organizations')[]) {
    const clerk = createSimulatedClerk({ seed: 83 })
    const [created] = clerk.act('createUser')
    const api = await serve(clerk)
    const sync = await open(api, { resources })
    await emptyAll(sync)
    return { clerk, api, sync, created, id: String(created?.data.id) }
  }

  /** From now on the database refuses every change of the row. */
  const refuse = async (sync: Awaited<ReturnType<typeof open>>, id: string) => {
    const table = sql.table(`${sync.location.schema}.users`)
    await sql`alter table ${table} drop constraint if exists no_change`.execute(sync.database)
    await sql`alter table ${table} add constraint no_change check (id <> ${sql.lit(id)}) not valid`.execute(
      sync.database,
    )
    return () => sql`alter table ${table} drop constraint no_change`.execute(sync.database)
  }

  it('is refused for a table that is not kept, and writes nothing', async () => {
    const { sync, api, id } = await begin(['organizations'])
    const asked = api.requests.length
    const notKept = { code: 'resource_not_kept', message: expect.stringContaining('users') }
    await expect(sync.users.ensure(id)).rejects.toMatchObject(notKept)
    await expect(sync.waitFor('users', id)).rejects.toMatchObject(notKept)
    await expect(sync.clerk.show('users', id)).rejects.toMatchObject(notKept)
    await expect(sync.clerk.apply('users', id)).rejects.toMatchObject(notKept)
    await expect(sync.memberships.ensure({ organizationId: 'org_1', userId: id })).rejects.toMatchObject({
      code: 'resource_not_kept',
    })
    await expect(sync.backfill({ resources: ['users'] })).rejects.toMatchObject({ code: 'option_invalid' })
    expect(api.requests.length).toBe(asked)
    expect(await sync.database.selectFrom('users').select('id').execute()).toEqual([])
  })

  it.each([null, undefined, '', 'user_\u0000', 'x'.repeat(401), 7])(
    'is refused for what is no id: %j',
    async (id) => {
      const { sync } = await begin()
      const refused = { code: 'id_invalid', status: 400 }
      await expect(sync.users.ensure(id as string)).rejects.toMatchObject(refused)
      await expect(sync.waitFor('users', id as string)).rejects.toMatchObject(refused)
      await expect(sync.clerk.show('users', id as string)).rejects.toMatchObject(refused)
    },
  )

  it('fails if the database refuses the row: to the caller, in the audit and in counts', async () => {
    const { sync, clerk, id, created } = await begin()
    const allow = await refuse(sync, id)
    const isRefused = { code: 'repair_refused', message: expect.stringContaining('no_change') }
    await expect(sync.users.ensure(id)).rejects.toMatchObject(isRefused)
    await expect(sync.clerk.apply('users', id)).rejects.toMatchObject(isRefused)
    await deliver(sync, created, { id: 'msg_refused' })

    const dashboard = createDashboardHandler(sync, { environment: 'development' })
    const local = { remoteAddress: '127.0.0.1' }
    const path = { resource: 'users', id }
    expect(await refusal(dashboard, 'POST resources/{resource}/{id}/apply', { path, ...local })).toEqual([
      500,
      'repair_refused',
    ])
    const replay = await ask(dashboard, 'POST events/{id}/replay', { path: { id: 'msg_refused' }, ...local })
    expect(replay.outcome).toBe('failed')
    const { items } = await ask(dashboard, 'GET audit', local)
    expect(items.map(({ action, succeeded }) => [action, succeeded])).toEqual([
      ['replay', false],
      ['apply', false],
    ])

    await allow()
    await sync.clerk.apply('users', id)
    await refuse(sync, id)
    clerk.act('deleteUser', id)
    const { status, resources } = await sync.reconcile({ full: true })
    expect([status, resources.users]).toMatchObject([
      'incomplete',
      { deleted: 0, failed: 1, error: { code: 'rejected_by_database' } },
    ])
    await expect(sync.clerk.apply('users', id)).rejects.toMatchObject(isRefused)
  })
})
