/** One resource as Clerk has it, applied: that Clerk does not show it is no proof that it was deleted. */

import { beforeEach, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { type BackendApi, createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

describeEachDatabase('applying what Clerk shows of one resource', (database) => {
  const { serve, open } = scenes(database)
  let clerk: SimulatedClerk
  let api: BackendApi
  let sync: ClerkSync

  beforeEach(async () => {
    clerk = createSimulatedClerk({ seed: 81 })
    for (let made = 0; made < 3; made++) clerk.act('createUser')
    clerk.act('createOrganization')
    clerk.act('inviteToOrganization')
    api = await serve(clerk)
    sync = await open(api)
    await emptyAll(sync)
    await sync.backfill()
    clerk.advanceTo(clerk.now + 60_000)
  })

  const first = (table: 'users' | 'organization_memberships' | 'organization_invitations') =>
    String(clerk.resources(table).keys().next().value)

  it('deletes what Clerk has deleted, and what belongs to it', async () => {
    const organization = String(clerk.resources('organizations').keys().next().value)
    clerk.act('deleteOrganization', organization)
    const shown = await sync.clerk.apply('organizations', organization)
    expect(shown).toMatchObject({ data: null })
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it.each(['payment_required', 'not_enabled', 'not_found'] as const)(
    'deletes no membership where organizations are switched off: %s',
    async (how) => {
      const id = first('organization_memberships')
      api.disable('organizations', how)
      for (const look of [sync.clerk.show, sync.clerk.apply]) {
        await expect(look('organization_memberships', id)).rejects.toMatchObject({ code: 'api_feature_off' })
      }
      api.enable('organizations')
      expect(await wrongTables(sync, clerk)).toEqual([])
    },
  )

  it('deletes no row of another Clerk instance', async () => {
    const other = await open(await serve(createSimulatedClerk({ seed: 82 })))
    for (const look of [other.clerk.show, other.clerk.apply]) {
      await expect(look('users', first('users'))).rejects.toMatchObject({
        code: 'feature_unavailable',
        message: expect.stringContaining(clerk.instanceId),
      })
    }
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it('takes no key of an instance whose events are not applied', async () => {
    const strict = await open(api, { instanceId: 'ins_another' })
    await expect(strict.clerk.apply('users', first('users'))).rejects.toMatchObject({
      code: 'api_wrong_instance',
    })
    expect(await wrongTables(sync, clerk)).toEqual([])
  })

  it.each(['organization_memberships', 'organization_invitations'] as const)(
    'does not ask for %s without knowing of which organization',
    async (table) => {
      const id = first(table)
      await sync.database.deleteFrom(table).where('id', '=', id).execute()
      for (const look of [sync.clerk.show, sync.clerk.apply]) {
        await expect(look(table, id)).rejects.toMatchObject({
          code: 'feature_unavailable',
          message: expect.stringContaining(table),
        })
      }
      const row = sync.database.selectFrom(table).select('id').where('id', '=', id)
      expect(await row.execute()).toEqual([])
    },
  )

  it('keeps nothing of what neither Clerk nor the tables have', async () => {
    expect(await sync.clerk.apply('users', 'user_nobody')).toMatchObject({ data: null })
    const row = sync.database.selectFrom('users').select('id').where('id', '=', 'user_nobody')
    expect(await row.execute()).toEqual([])
  })
})
