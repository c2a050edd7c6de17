/** Cursors, ids and numbers of requests: what makes no sense is a 400 that says so, not a trouble of the database's. */

import { expect, it } from 'vitest'
import type { RouteName } from '../../src/dashboard/api.ts'
import { createDashboardHandler, type DashboardHandler } from '../../src/dashboard/index.ts'
import { isId } from '../../src/validate.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { ask, requestFor } from './client.ts'

describeWithPostgres('what requests bring along', (url) => {
  const database = postgresDatabase(url)
  let handler: Promise<DashboardHandler> | undefined
  const open = () => {
    handler ??= database.open().then((sync) => createDashboardHandler(sync, { environment: 'development' }))
    return handler
  }

  async function answer(name: RouteName, options: object) {
    const dashboard = await open()
    const response = await dashboard(requestFor(name, options), { remoteAddress: '127.0.0.1' })
    const { code, message } = (await response.json()) as { code: string; message: string }
    return { status: response.status, code, message }
  }

  const LISTS: readonly [RouteName, object][] = [
    ['GET events', {}],
    ['GET jobs', {}],
    ['GET audit', {}],
    ['GET failures/runs', { handler: 'h' }],
    ['GET resources/{resource}', {}],
  ]
  const FORGED = [
    ['no time', 'x'],
    ['2026-02-31 10:00:00+00', 'x'],
    ['2026-13-01 10:00:00.5+00', 'x'],
    ['0000-01-01 00:00:00+00', 'x'],
    ['infinity', 'x'],
    [1, 2],
    ['2026-02-01 10:00:00+00', 'a\u0000b'],
    ['2026-02-01 10:00:00+00'],
    ['a\u0000b'],
    [''],
    [{}],
  ]

  it.each(LISTS)('%s: no forged cursor reaches the database', async (name, query) => {
    const path = { resource: 'users' }
    for (const position of FORGED) {
      const cursor = Buffer.from(JSON.stringify(position)).toString('base64url')
      if (name === 'GET resources/{resource}' && position.length === 1 && isId(position[0])) continue
      expect([position, await answer(name, { path, query: { ...query, cursor } })]).toEqual([
        position,
        { status: 400, code: 'request_invalid', message: expect.stringContaining('cursor') },
      ])
    }
  })

  it('goes on from a cursor that a list gave, to the microsecond', async () => {
    const sync = await database.open()
    for (let made = 0; made < 3; made++) await deliver(sync, eventOf('user.created', { id: `user_${made}` }))
    const dashboard = await open()
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = cursor === '' ? { limit: 1 } : { limit: 1, cursor }
      const page: { items: readonly { id: string }[]; nextCursor: string | null } = await ask(
        dashboard,
        'GET events',
        { query, remoteAddress: '127.0.0.1' },
      )
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    }
    expect(new Set(ids).size).toBe(3)
    expect(ids).toHaveLength(3)
  })

  it.each<[RouteName, Record<string, string>]>([
    ['GET events/{id}', { id: 'msg_\u0000' }],
    ['GET jobs/{id}', { id: 'a\u0000' }],
    ['GET resources/{resource}/{id}', { resource: 'users', id: 'user_\u0000' }],
    ['POST events/{id}/replay', { id: 'x'.repeat(401) }],
    ['POST jobs/{id}/abort', { id: '\u0000' }],
  ])('%s: no id that cannot be one reaches the database', async (name, path) => {
    expect(await answer(name, { path })).toMatchObject({
      status: 400,
      code: 'request_invalid',
      message: expect.stringContaining('id in the path'),
    })
  })

  it.each([0, -1, 'NaN', 'Infinity', '', ' 5', '0x10', '1e2', 1.5, 101])(
    'refuses the limit %s by name',
    async (limit) => {
      expect(await answer('GET events', { query: { limit } })).toMatchObject({
        status: 400,
        message: expect.stringContaining('limit must be a whole number above 0'),
      })
    },
  )

  it.each([0, -1, null, true, 'NaN', [5, 6], 1_001, {}])('refuses %j a second by name', async (perSecond) => {
    const body = { kind: 'replay', filter: {}, expected: 1, until: new Date().toISOString(), perSecond }
    expect(await answer('POST jobs', { body })).toMatchObject({
      status: 400,
      message: expect.stringContaining('perSecond must be'),
    })
  })
})
