import { expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { countEvents, getEvent, listEvents } from '../../src/inspect/events.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { eventIn } from '../support/ledger.ts'

const sourceOf = ({ database, location: { schema } }: ClerkSync) => ({ database, schema })

describeEachDatabase('the read models of events', (database) => {
  it('list newest first, page by page, and count', async () => {
    const sync = await database.open()
    const startedAt = new Date()
    for (const index of [1, 2, 3, 4, 5]) {
      await deliver(sync, eventOf('user.created', { id: `user_list${index}` }), { id: `msg_list${index}` })
    }
    await deliver(sync, { type: 'user.teleported', data: { id: 'user_list6' } }, { id: 'msg_list6' })
    const filter = { types: ['user.*'] }
    const ids = async (before?: string) => {
      const events = await listEvents(sourceOf(sync), filter, { limit: 4, before })
      return events.map((event) => event.id)
    }
    expect(await ids()).toEqual(['msg_list6', 'msg_list5', 'msg_list4', 'msg_list3'])
    expect(await ids('msg_list3')).toEqual(['msg_list2', 'msg_list1'])
    expect(await ids('msg_list1')).toEqual([])

    const totals = await countEvents(sync.database, filter)
    expect(totals).toMatchObject({ total: 6, applied: 5, parked: 1, stale: 0, ignored: 0, failed: 0 })
    expect(totals.firstAt?.getTime()).toBeLessThan(totals.lastAt?.getTime() as number)
    expect(totals.countedAt.getTime()).toBeGreaterThan(startedAt.getTime() - 60_000)
    const none = await countEvents(sync.database, { ids: ['msg_none'] })
    expect(none).toMatchObject({ total: 0, applied: 0, firstAt: null, lastAt: null })
  })

  it('narrow down by every condition', async () => {
    const sync = await database.open()
    await deliver(sync, eventOf('organization.created', { id: 'org_narrow' }), { id: 'msg_narrow' })
    const [event] = await listEvents(sourceOf(sync), { ids: ['msg_narrow'] }, { limit: 1 })
    const receivedAt = event?.received_at as Date
    const find = async (filter: object) => {
      const events = await listEvents(sourceOf(sync), { ids: ['msg_narrow'], ...filter }, { limit: 9 })
      return events.length
    }
    const later = new Date(receivedAt.getTime() + 1)
    for (const filter of [
      { outcomes: ['applied'] },
      { types: ['organization.*'] },
      { resources: ['organizations'] },
      { resourceIds: ['org_narrow'] },
      { since: receivedAt, until: later },
    ]) {
      expect(await find(filter)).toBe(1)
    }
    for (const filter of [
      { outcomes: ['failed'] },
      { types: ['organizatio_.*'] },
      { resources: [`'"; drop table clerk.events; --`] },
      { resourceIds: ['org_other'] },
      { since: later },
      { until: receivedAt },
    ]) {
      expect(await find(filter)).toBe(0)
    }
  })

  it('show an event with its body and its changes', async () => {
    const sync = await database.open()
    const at = 1_800_000_000_000
    await deliver(sync, eventOf('user.created', { id: 'user_show', updated_at: at, first_name: 'Ada' }))
    const changed = eventOf('user.updated', { id: 'user_show', updated_at: at + 1, first_name: 'Eva' })
    await deliver(sync, changed, { id: 'msg_show' })
    const event = await eventIn(sync, 'msg_show')
    expect(event.changes).toMatchObject({ first_name: { from: 'Ada', to: 'Eva' } })
    expect(Buffer.from(event.body as Uint8Array).toString()).toBe(JSON.stringify(changed))
  })

  it('name an event that is not there', async () => {
    const sync = await database.open()
    const missing = { code: 'event_not_found', message: expect.stringContaining('msg_missing') }
    await expect(eventIn(sync, 'msg_missing')).rejects.toMatchObject(missing)
    await expect(listEvents(sourceOf(sync), {}, { limit: 1, before: 'msg_missing' })).rejects.toMatchObject(
      missing,
    )
  })

  it('say what is wrong with the database', async () => {
    const sync = await database.open()
    const elsewhere = sync.database.withoutPlugins().withSchema('nowhere') as typeof sync.database
    for (const ask of [
      () => getEvent({ database: elsewhere, schema: 'nowhere' }, 'msg_x'),
      () => countEvents(elsewhere, {}),
      () => listEvents({ database: elsewhere, schema: 'nowhere' }, {}, { limit: 1 }),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'database_outdated' })
    }
  })
})
