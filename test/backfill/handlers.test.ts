/** Handlers hear of what no event told, and hear it once. */

import { beforeEach, expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { emptyAll, scenes } from './scenes.ts'

describeEachDatabase('handlers', (database) => {
  const { serve, open } = scenes(database)
  let clerk: SimulatedClerk
  let sync: ClerkSync
  let heard: string[]

  beforeEach(async () => {
    clerk = createSimulatedClerk({ seed: 61 })
    for (let made = 0; made < 5; made++) clerk.act('createUser')
    sync = await open(await serve(clerk))
    await emptyAll(sync)
    await sync.database.deleteFrom('handler_runs').execute()
    heard = []
    sync.on('user.*', ({ event }) => heard.push(`${event.type} ${event.data.id}`), { name: `listener` })
  })

  async function hear(): Promise<string[]> {
    await sync.drain({ maxSeconds: 10 })
    return heard.splice(0).sort()
  }

  const later = () => clerk.advanceTo(clerk.now + 5_000)

  it('are not told by a backfill what there was before them, unless it is asked to', async () => {
    await sync.backfill({ resources: ['users'] })
    expect(await hear()).toEqual([])
    expect(await sync.database.selectFrom('events').select('id').execute()).toEqual([])
    await emptyAll(sync)
    await sync.backfill({ resources: ['users'], handlers: true })
    expect(await hear()).toEqual(
      [...clerk.resources('users').keys()].map((id) => `user.created ${id}`).sort(),
    )
    await sync.backfill({ resources: ['users'], handlers: true, restart: true })
    expect(await hear()).toEqual([])
  })

  it('are told by a reconcile what they missed, and not again by the events that come late', async () => {
    await sync.backfill({ resources: ['users'] })
    const [changed, deleted] = [...clerk.resources('users').keys()]
    const missed: ClerkEvent[] = [
      ...clerk.act('createUser'),
      ...clerk.act('updateUser', changed),
      ...clerk.act('deleteUser', deleted),
    ]
    later()
    await sync.reconcile({ full: true })
    const told = missed
      .filter(({ type }) => type.startsWith('user.'))
      .map(({ type, data }) => `${type} ${data.id}`)
    expect(await hear()).toEqual(told.sort())
    const events = await sync.database.selectFrom('events').select(['source', 'outcome']).execute()
    expect(events).toEqual(told.map(() => ({ source: 'reconcile', outcome: 'applied' })))

    for (const event of missed) await deliver(sync, event)
    await sync.reconcile({ full: true })
    expect(await hear()).toEqual([])
  })

  it('are not told what an event told them, though the database refused it', async () => {
    await sync.backfill({ resources: ['users'] })
    const [created] = clerk.act('createUser')
    await deliver(sync, created)
    expect(await hear()).toEqual([`user.created ${created?.data.id}`])
    await sync.database.deleteFrom('users').where('id', '=', String(created?.data.id)).execute()
    later()
    expect((await sync.reconcile({ full: true, resources: ['users'] })).drift.total).toBe(1)
    expect(await hear()).toEqual([])
  })

  it('are told of an organization that was deleted, and not of what went with it, as by its event', async () => {
    const told: string[] = []
    sync.on(['organization.*', 'organizationMembership.*'], ({ event }) => told.push(event.type), {
      name: 'of-organizations',
    })
    clerk.act('createOrganization')
    for (let made = 0; made < 3; made++) clerk.act('addMember')
    for (const resources of [['users'], ['organizations'], ['organization_memberships']] as const) {
      await sync.backfill({ resources, restart: true })
    }
    const members = [...clerk.resources('organization_memberships').values()]
    expect(members.length).toBeGreaterThan(2)
    const [id] = clerk.resources('organizations').keys()
    const missed = clerk.act('deleteOrganization', id)
    later()
    await sync.reconcile({ full: true })
    await hear()
    expect(told.splice(0)).toEqual(['organization.deleted'])
    const rows = await sync.database.selectFrom('organization_memberships').select('deleted_at').execute()
    expect(rows.filter(({ deleted_at }) => deleted_at === null)).toEqual([])

    // If Clerk tells of a membership all the same, its event is one like any other.
    const envelope = { ...missed[0], type: 'organizationMembership.deleted', data: members[0] }
    await deliver(sync, envelope)
    await hear()
    expect(told).toEqual(['organizationMembership.deleted'])
  })

  it('are told nothing by a reconcile that is asked not to', async () => {
    await sync.backfill({ resources: ['users'] })
    clerk.act('createUser')
    later()
    expect((await sync.reconcile({ handlers: false, resources: ['users'] })).drift.total).toBe(1)
    expect(await hear()).toEqual([])
  })
})
