import { expect, it } from 'vitest'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { LOCAL, refusal, requestFor } from './client.ts'
import { serve } from './served.ts'

describeEachDatabase('the export of a list', (database) => {
  async function open() {
    const sync = await database.open()
    return { sync, handler: await serve(sync) }
  }

  it('has every event that the filter means, newest first, over many pages', async () => {
    const { sync, handler } = await open()
    for (let index = 0; index < 120; index++) {
      await deliver(sync, eventOf('user.created', { id: `user_x${index}` }), { id: `msg_x${index}` })
    }
    await deliver(sync, eventOf('organization.created', { id: 'org_x' }), { id: 'msg_org' })
    const query = { type: ['user.*'], format: 'ndjson' }
    const response = await handler(requestFor('GET events/export', { query }), LOCAL)
    expect([response.status, response.headers.get('content-disposition')]).toEqual([
      200,
      'attachment; filename="clerk-sync-events.ndjson"',
    ])
    const events = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.map(({ id }) => id)).toEqual(
      Array.from({ length: 120 }, (_, index) => `msg_x${119 - index}`),
    )
    expect(events[0]).toMatchObject({
      type: 'user.created',
      outcome: 'applied',
      subject: { resource: 'users' },
    })
  })

  it('has names in cells of their own, and no formulas', async () => {
    const { sync, handler } = await open()
    const name = '=HYPERLINK("http://evil.example","Acme, Inc.")'
    await deliver(sync, eventOf('organization.created', { id: 'org_evil', name }), { id: 'msg_evil' })
    const response = await handler(
      requestFor('GET events/export', { query: { resourceId: 'org_evil' } }),
      LOCAL,
    )
    const [head, row, end] = (await response.text()).split('\r\n')
    expect([response.headers.get('content-type'), end]).toEqual(['text/csv; charset=utf-8', ''])
    expect(head).toMatch(/^received_at,occurred_at,id,type,outcome,/)
    expect(row).toContain(',"msg_evil","organization.created","applied",')
    expect(row).toContain(`"'=HYPERLINK(""http://evil.example"",""Acme, Inc."")"`)
  })

  it('masks what the list masks, and is refused before it begins', async () => {
    const { sync, handler } = await open()
    await deliver(sync, eventOf('user.created', { id: 'user_masked' }), { id: 'msg_masked' })
    const response = await handler(requestFor('GET events/export', { query: { id: 'msg_masked' } }), LOCAL)
    const user = await sync.database
      .selectFrom('users')
      .selectAll()
      .where('id', '=', 'user_masked')
      .executeTakeFirstOrThrow()
    expect(await response.text()).not.toContain(String(user.primary_email_address))
    expect(await refusal(handler, 'GET events/export', { query: { format: 'xlsx' } })).toEqual([
      400,
      'request_invalid',
    ])
    expect(await refusal(handler, 'GET events/export', { query: { outcome: ['lost'] } })).toEqual([
      400,
      'request_invalid',
    ])
  })
})
