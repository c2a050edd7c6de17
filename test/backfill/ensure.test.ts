import { expect, it } from 'vitest'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { scenes } from './scenes.ts'

describeEachDatabase('ensuring a row', (database) => {
  const { serve, open } = scenes(database)

  it('fetches a user once for however many ask, and never again', async () => {
    const clerk = createSimulatedClerk({ seed: 1 })
    const [created] = clerk.act('createUser')
    const id = String(created?.data.id)
    const api = await serve(clerk)
    const sync = await open(api)
    const rows = await Promise.all(Array.from({ length: 20 }, () => sync.users.ensure(id)))
    expect(rows.map((row) => row?.id)).toEqual(rows.map(() => id))
    expect(rows[0]).toMatchObject({ event_id: null, deleted_at: null })
    await sync.users.ensure(id)
    expect(api.requests.map(({ path }) => path).sort()).toEqual(['/v1/instance', `/v1/users/${id}`])
    expect(rows[0]).toMatchObject({ instance_id: clerk.instanceId })
  })

  it('knows organizations, and memberships by who is a member of what', async () => {
    const clerk = createSimulatedClerk({ seed: 2 })
    clerk.act('createOrganization')
    const [membership] = clerk.resources('organization_memberships').values()
    const organizationId = String(membership?.organization?.id)
    const userId = String(membership?.public_user_data?.user_id)
    const sync = await open(await serve(clerk))
    expect(await sync.organizations.ensure(organizationId)).toMatchObject({ id: organizationId })
    expect(await sync.memberships.ensure({ organizationId, userId })).toMatchObject({
      id: membership?.id,
      organization_id: organizationId,
      user_id: userId,
      role: membership?.role,
    })
    expect(await sync.memberships.ensure({ organizationId, userId: 'user_other' })).toBeUndefined()
    expect(await sync.memberships.ensure({ organizationId: 'org_other', userId })).toBeUndefined()
  })

  it('gives nothing, and keeps nothing, of a user that does not exist', async () => {
    const clerk = createSimulatedClerk({ seed: 3 })
    const sync = await open(await serve(clerk))
    expect(await sync.users.ensure('user_nobody')).toBeUndefined()
    const rows = await sync.database
      .selectFrom('users')
      .select('id')
      .where('id', '=', 'user_nobody')
      .execute()
    expect(rows).toEqual([])
  })

  it('does not bring a deleted user back, and does not ask Clerk about one', async () => {
    const clerk = createSimulatedClerk({ seed: 4 })
    const [created] = clerk.act('createUser')
    const id = String(created?.data.id)
    const api = await serve(clerk)
    const sync = await open(api)
    for (const event of clerk.act('deleteUser', id)) await deliver(sync, event)
    expect(await sync.users.ensure(id)).toBeUndefined()
    expect(api.requests).toEqual([])
  })

  it('finds a member who left and joined again, before any event tells of it', async () => {
    const clerk = createSimulatedClerk({ seed: 9 })
    clerk.act('createOrganization')
    const [membership] = clerk.resources('organization_memberships').values()
    const organizationId = String(membership?.organization?.id)
    const userId = String(membership?.public_user_data?.user_id)
    const sync = await open(await serve(clerk))
    const ensure = () => sync.memberships.ensure({ organizationId, userId })
    expect(await ensure()).toMatchObject({ id: membership?.id })
    const events = clerk.act('rejoinOrganization', membership?.id)
    await deliver(
      sync,
      events.find(({ type }) => type === 'organizationMembership.deleted'),
    )
    const joined = events.find(({ type }) => type === 'organizationMembership.created')
    expect(await ensure()).toMatchObject({ id: joined?.data.id, user_id: userId, deleted_at: null })
    for (const event of clerk.act('removeMember', String(joined?.data.id))) await deliver(sync, event)
    expect(await ensure()).toBeUndefined()
  })

  it('loses against a deletion that happened while Clerk was asked', async () => {
    const clerk = createSimulatedClerk({ seed: 5 })
    const [created] = clerk.act('createUser')
    const id = String(created?.data.id)
    const api = await serve(clerk, { slowMs: 300 })
    const sync = await open(api)
    api.failNext('slow')
    const ensured = sync.users.ensure(id)
    await deliver(sync, {
      object: 'event',
      type: 'user.deleted',
      timestamp: clerk.now + 5_000,
      data: { id, object: 'user', deleted: true },
    })
    expect(await ensured).toBeUndefined()
  })

  it('lets the webhook that comes later find the row as it is', async () => {
    const clerk = createSimulatedClerk({ seed: 6 })
    const [created] = clerk.act('createUser')
    const sync = await open(await serve(clerk))
    const before = await sync.users.ensure(String(created?.data.id))
    const receipt = await deliver(sync, created)
    expect(receipt.outcome).toMatch(/applied|stale/)
    const after = await sync.users.ensure(String(created?.data.id))
    expect(after?.raw).toEqual(before?.raw)
  })

  it('says that there is no key only when it would need one', async () => {
    const clerk = createSimulatedClerk({ seed: 7 })
    const [created] = clerk.act('createUser')
    const sync = await database.open({ secretKey: '' })
    await deliver(sync, created)
    expect(await sync.users.ensure(String(created?.data.id))).toMatchObject({ id: created?.data.id })
    await expect(sync.users.ensure('user_missing')).rejects.toMatchObject({ code: 'api_key_missing' })
  })
})

describeEachDatabase('waiting for a change', (database) => {
  it('returns the row when it is as new as asked, and says when it does not come', async () => {
    const clerk = createSimulatedClerk({ seed: 8 })
    const [created] = clerk.act('createUser')
    const id = String(created?.data.id)
    const sync = await database.open()
    const waiting = sync.waitFor('users', id)
    await deliver(sync, created)
    expect((await waiting).id).toBe(id)

    const updates = clerk.act('updateUser', id)
    const updatedAt = Number(clerk.resources('users').get(id)?.updated_at)
    await expect(sync.waitFor('users', id, { updatedAt, timeoutMs: 60 })).rejects.toMatchObject({
      code: 'wait_timed_out',
    })
    const renewed = sync.waitFor('users', id, { updatedAt: new Date(updatedAt) })
    for (const event of updates) await deliver(sync, event)
    expect((await renewed).clerk_updated_at?.getTime()).toBe(updatedAt)

    const gone = sync.waitFor('users', id, { deleted: true })
    for (const event of clerk.act('deleteUser', id)) await deliver(sync, event)
    expect((await gone).deleted_at).toBeInstanceOf(Date)
  })

  it('stops when it is told to', async () => {
    const sync = await database.open()
    const signal = AbortSignal.timeout(50)
    await expect(sync.waitFor('users', 'user_never', { signal })).rejects.toThrow(/timeout|aborted/i)
  })
})
