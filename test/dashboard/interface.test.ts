import { expect, it } from 'vitest'
import { createDashboardHandler, type DashboardHandler } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'
import { ask, refusal } from './client.ts'

const NEVER = [60_000] as const

describeEachDatabase('the dashboard’s interface', (database) => {
  let opened: Promise<{ sync: ClerkSync; handler: DashboardHandler }> | undefined
  const open = () => {
    opened ??= fill()
    return opened
  }

  /** A user with a change, a stale and a parked event, an organization, a refused request, and handlers that fail. */
  async function fill() {
    const sync = await database.open()
    sync.on(
      'organization.created',
      () => {
        throw new Error('connect ECONNREFUSED 10.0.3.7:443 for ada@example.com')
      },
      { name: 'syncCrm', retries: NEVER },
    )
    const at = 1_800_000_000_000
    const ada = { id: 'user_api', updated_at: at, first_name: 'Ada' }
    await deliver(sync, eventOf('user.created', ada), { id: 'msg_api1' })
    const eva = { ...ada, updated_at: at + 2, first_name: 'Eva' }
    await deliver(sync, eventOf('user.updated', eva), { id: 'msg_api2' })
    await deliver(sync, eventOf('user.updated', { ...ada, updated_at: at - 5 }), { id: 'msg_api3' })
    await deliver(sync, eventOf('user.updated', eva), { id: 'msg_api2' })
    await deliver(sync, { type: 'user.teleported', data: { id: 'user_x' } }, { id: 'msg_api4' })
    const acme = { id: 'org_api', name: 'Acme', slug: 'acme' }
    await deliver(sync, eventOf('organization.created', acme), { id: 'msg_api5' })
    await sync.drain({ maxSeconds: 5 })
    const forged = sign({ type: 'user.created' }, { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx' })
    await sync.handle({ method: 'POST', headers: forged.headers, body: forged.body })
    return { sync, handler: createDashboardHandler(sync) }
  }

  it('tells how it is in one sentence, and in numbers', async () => {
    const { handler } = await open()
    const overview = await ask(handler, 'GET overview')
    expect(overview.status).toMatchObject({
      state: 'degraded',
      sentence: expect.stringMatching(
        /^Degraded: 1 event has failed in handler syncCrm since \d\d:\d\d UTC: connection refused/,
      ),
      data: 'Rows are up to date. Nothing is lost.',
    })
    expect(overview.lastEvent).toMatchObject({ id: 'msg_api5' })
    expect(overview.waiting).toMatchObject({
      count: { value: 1, isEstimate: false },
      oldestAt: expect.any(String),
    })
    expect(overview.notApplied).toMatchObject({
      parked: { value: 1 },
      failed: { value: 0 },
      dead: { value: 0 },
    })
    const users = overview.resources.find(({ resource }) => resource === 'users')
    expect(users).toMatchObject({ here: { value: 1 }, clerk: null, drift: null, checkedAt: null })
    expect(overview.checklist?.map(({ step, isDone }) => [step, isDone])).toBeUndefined()
  })

  it('adds up the traffic by outcome, duplicates included', async () => {
    const { handler } = await open()
    const since = new Date(Date.now() - 3_600_000).toISOString()
    const { points, bucketSeconds } = await ask(handler, 'GET traffic', { query: { since } })
    expect([points.length, bucketSeconds]).toEqual([expect.any(Number), 60])
    const sum = (name: 'applied' | 'stale' | 'duplicate' | 'parked' | 'handlerFailed') =>
      points.reduce((total, point) => total + point[name], 0)
    expect([sum('applied'), sum('stale'), sum('duplicate'), sum('parked'), sum('handlerFailed')]).toEqual([
      3, 1, 1, 1, 1,
    ])
  })

  it('lists events page by page and by every condition', async () => {
    const { handler } = await open()
    const ids = async (query: object) =>
      (await ask(handler, 'GET events', { query: query as never })).items.map(({ id }) => id)
    const first = await ask(handler, 'GET events', { query: { limit: 3 } })
    expect(first.items.map(({ id }) => id)).toEqual(['msg_api5', 'msg_api4', 'msg_api3'])
    const second = await ask(handler, 'GET events', { query: { limit: 3, cursor: first.nextCursor ?? '' } })
    expect([second.items.map(({ id }) => id), second.nextCursor]).toEqual([['msg_api2', 'msg_api1'], null])
    expect(await ids({ type: ['user.*'] })).toEqual(['msg_api3', 'msg_api2', 'msg_api1'])
    expect(await ids({ type: ['user.updated', 'organization.created'] })).toEqual([
      'msg_api5',
      'msg_api3',
      'msg_api2',
    ])
    expect(await ids({ outcome: ['stale', 'parked'] })).toEqual(['msg_api4', 'msg_api3'])
    expect(await ids({ resource: ['organizations'] })).toEqual(['msg_api5'])
    expect(await ids({ resourceId: 'user_api' })).toEqual(['msg_api3', 'msg_api2', 'msg_api1'])
    expect(await ids({ run: 'failing' })).toEqual(['msg_api5'])
    expect(await ids({ handler: 'syncCrm', run: 'succeeded' })).toEqual([])
    expect(await ids({ source: 'backfill' })).toEqual([])
    expect(await ids({ since: new Date(Date.now() + 60_000).toISOString() })).toEqual([])
    expect(await ask(handler, 'GET events/count', { query: { outcome: ['applied'] } })).toEqual({
      value: 3,
      isEstimate: false,
      isAtLeast: false,
    })
    expect(first.items[0]).toMatchObject({
      subject: { resource: 'organizations', id: 'org_api', label: 'Acme' },
      runs: { retrying: 1 },
      nextTryAt: expect.any(String),
    })
  })

  it.each([
    ['GET events', { query: { outcome: 'x' } }],
    ['GET events', { query: { limit: 0 } }],
    ['GET events', { query: { limit: 101 } }],
    ['GET events', { query: { cursor: 'none' } }],
    ['GET events', { query: { since: 'yesterday' } }],
    ['GET events', { query: { type: '\u0000' } }],
    ['GET traffic', { query: {} }],
    ['GET traffic', { query: { since: '1990-01-01T00:00:00Z' } }],
    ['POST jobs', { body: { kind: 'retry', filter: { handler: 'syncCrm' } } }],
    ['POST jobs', { body: { kind: 'mine' } }],
    ['POST jobs', { body: { kind: 'replay', filter: [] } }],
  ] as const)('refuses what it does not understand: %s %j', async (name, options) => {
    const { handler } = await open()
    expect(await refusal(handler, name, options)).toEqual([400, 'request_invalid'])
  })

  it('shows an event with its timeline, masked until it is revealed, which is written down', async () => {
    const { handler } = await open()
    const path = { id: 'msg_api2' }
    const event = await ask(handler, 'GET events/{id}', { path })
    expect(event).toMatchObject({
      deliveries: 2,
      sentence: 'Row saved.',
      triggerCommand: 'clerk-sync trigger user.updated',
    })
    expect(event.changes).toContainEqual({ field: 'first_name', from: 'A•••', to: 'E•••' })
    expect([event.body.isMasked, event.body.text]).toEqual([true, expect.not.stringContaining('Eva')])
    expect(event.timeline.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['received', 'verified', 'row', 'delivered_again']),
    )
    expect(event.related.map(({ id }) => id)).toEqual(['msg_api3', 'msg_api1'])

    const revealed = await ask(handler, 'POST events/{id}/reveal', { path })
    expect([revealed.body.isMasked, revealed.body.text]).toEqual([false, expect.stringContaining('Eva')])
    const { items } = await ask(handler, 'GET audit')
    expect(items[0]).toMatchObject({
      action: 'reveal',
      target: 'events/msg_api2',
      actor: 'local',
      succeeded: true,
    })
    expect(await refusal(handler, 'GET events/{id}', { path: { id: 'msg_none' } })).toEqual([
      404,
      'event_not_found',
    ])
  })

  it('finds rows by id, address and slug, and shows them with what belongs to them', async () => {
    const { handler, sync } = await open()
    const { primary_email_address: address } = await sync.database
      .selectFrom('users')
      .select('primary_email_address')
      .executeTakeFirstOrThrow()
    for (const q of ['user_api', String(address), String(address).toUpperCase()]) {
      const { items } = await ask(handler, 'GET resources/{resource}', {
        path: { resource: 'users' },
        query: { q },
      })
      expect(items.map(({ id }) => id)).toEqual(['user_api'])
    }
    const { hits } = await ask(handler, 'GET search', { query: { q: 'acme' } })
    expect(hits).toContainEqual(expect.objectContaining({ kind: 'resource', id: 'org_api', field: 'slug' }))
    expect((await ask(handler, 'GET search', { query: { q: 'msg_api1' } })).hits).toMatchObject([
      { kind: 'event' },
    ])

    const path = { resource: 'users', id: 'user_api' }
    const user = await ask(handler, 'GET resources/{resource}/{id}', { path })
    expect(user).toMatchObject({ isMasked: true, eventId: 'msg_api2', row: { first_name: 'E•••' } })
    expect(JSON.stringify(user)).not.toContain(address)
    const revealed = await ask(handler, 'POST resources/{resource}/{id}/reveal', { path })
    expect(revealed).toMatchObject({ isMasked: false, row: { first_name: 'Eva' } })
    const history = await ask(handler, 'GET resources/{resource}/{id}/history', { path })
    expect(history.items.map(({ id }) => id)).toEqual(['msg_api3', 'msg_api2', 'msg_api1'])
    expect(await refusal(handler, 'GET resources/{resource}', { path: { resource: 'pg_class' } })).toEqual([
      404,
      'resource_not_found',
    ])
  })

  it('groups failures, and tries, discards and pauses in somebody’s name', async () => {
    const { handler } = await open()
    const { groups } = await ask(handler, 'GET failures')
    expect(groups).toMatchObject([
      {
        handler: 'syncCrm',
        retrying: { value: 1 },
        dead: { value: 0 },
        isPaused: false,
        sampleEventId: 'msg_api5',
      },
    ])
    expect([groups[0]?.error, groups[0]?.sparkline.at(-1)]).toEqual([
      expect.stringContaining('a•••@example.com'),
      1,
    ])
    const query = { handler: 'syncCrm', fingerprint: groups[0]?.fingerprint ?? '' }
    const runs = await ask(handler, 'GET failures/runs', { query })
    expect(runs.items).toMatchObject([{ eventId: 'msg_api5', attempts: 1, event: { id: 'msg_api5' } }])

    const known = { handler: 'syncCrm', fingerprint: query.fingerprint }
    const stateOf = async () => (await ask(handler, 'GET overview')).status.state
    const healthOfRuns = async () =>
      (await ask(handler, 'GET health')).checks.find(({ name }) => name === 'Runs')
    expect(await stateOf()).toBe('degraded')
    expect(await healthOfRuns()).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/^1 failing, the latest in syncCrm: /),
    })
    await ask(handler, 'POST failures/mute', { body: { ...known, hours: 24 } })
    expect(await healthOfRuns()).toMatchObject({ status: 'pass' })
    expect([await stateOf(), (await ask(handler, 'GET overview')).failing]).toEqual(['healthy', []])
    expect((await ask(handler, 'GET failures')).groups).toMatchObject([{ mutedUntil: expect.any(String) }])
    expect(await refusal(handler, 'POST failures/mute', { body: known })).toEqual([400, 'request_invalid'])
    await ask(handler, 'POST failures/unmute', { body: known })
    expect(await stateOf()).toBe('degraded')

    const pause = { path: { handler: 'syncCrm' }, body: { reason: 'the CRM is down' } }
    expect(await ask(handler, 'POST handlers/{handler}/pause', pause)).toMatchObject({ isPaused: true })
    expect(await ask(handler, 'POST handlers/{handler}/resume', pause)).toMatchObject({ isPaused: false })
    const run = { path: { id: 'msg_api5', handler: 'syncCrm' } }
    expect(await ask(handler, 'POST events/{id}/runs/{handler}/retry', run)).toMatchObject({ attempts: 0 })
    expect(await refusal(handler, 'POST events/{id}/runs/{handler}/discard', run)).toEqual([
      400,
      'request_invalid',
    ])
    const none = { path: { id: 'msg_api5', handler: 'none' } }
    expect(await refusal(handler, 'POST events/{id}/runs/{handler}/retry', none)).toEqual([
      404,
      'run_not_found',
    ])
    const { items } = await ask(handler, 'GET audit')
    expect(items.slice(0, 6).map(({ action, succeeded }) => [action, succeeded])).toEqual([
      ['retry', false],
      ['retry', true],
      ['resume', true],
      ['pause', true],
      ['unmute', true],
      ['mute', true],
    ])
  })

  it('takes a thousand ids in a body, and a hundred in an address', async () => {
    const { handler } = await open()
    const ids = (amount: number) =>
      Array.from({ length: amount }, (_, index) => `msg_${String(index).padStart(28, '0')}`)
    const count = (amount: number) => ({ body: { kind: 'replay', filter: { id: ids(amount) } } }) as const
    expect(await ask(handler, 'POST jobs/count', count(1_000))).toMatchObject({ count: { value: 0 } })
    expect(await refusal(handler, 'POST jobs/count', count(1_001))).toEqual([400, 'request_invalid'])
    expect(await refusal(handler, 'GET events', { query: { id: ids(101) } })).toEqual([
      400,
      'request_invalid',
    ])
  })

  it('does not call a run discarded that was claimed meanwhile', async () => {
    const { sync, handler } = await open()
    const run = { path: { id: 'msg_api5', handler: 'syncCrm' }, body: { reason: 'the CRM is gone' } }
    const become = (status: 'pending' | 'running') =>
      sync.database.updateTable('handler_runs').set({ status }).where('event_id', '=', 'msg_api5').execute()
    await become('running')
    expect(await refusal(handler, 'POST events/{id}/runs/{handler}/discard', run)).toEqual([409, 'run_busy'])
    const { items } = await ask(handler, 'GET audit')
    expect(items[0]).toMatchObject({ action: 'discard', succeeded: false })
    await become('pending')
    expect(await ask(handler, 'POST events/{id}/runs/{handler}/discard', run)).toMatchObject({
      state: 'discarded',
    })
  })

  it('counts first, then does what was counted as a job that can be seen', async () => {
    const { handler } = await open()
    const target = { kind: 'replay', filter: { type: ['user.*'] } } as const
    const count = await ask(handler, 'POST jobs/count', { body: target })
    expect(count).toMatchObject({ count: { value: 3 }, firstAt: expect.any(String) })
    const started = await ask(handler, 'POST jobs', { body: { ...target, until: count.until, expected: 3 } })
    await expect
      .poll(() => ask(handler, 'GET jobs/{id}', { path: { id: started.id } }), { timeout: 10_000 })
      .toMatchObject({ state: 'done', done: 3, total: { value: 3 } })
    expect((await ask(handler, 'GET jobs')).items.map(({ id }) => id)).toContain(started.id)
    expect(await refusal(handler, 'POST jobs/{id}/abort', { path: { id: started.id } })).toEqual([
      409,
      'job_over',
    ])
    expect(await refusal(handler, 'GET jobs/{id}', { path: { id: 'job_none' } })).toEqual([
      404,
      'job_not_found',
    ])
  })

  it('counts the runs of a retry whose events have lost their codes', async () => {
    const sync = await database.open()
    const name = 'mail'
    const fail = () => {
      throw new Error('the mail server is down')
    }
    sync.on(['email.created', 'user.created'], fail, { name, retries: 0 })
    await deliver(sync, eventOf('email.created', { id: 'ema_api', data: { otp_code: '424242' } }))
    await deliver(sync, eventOf('user.created', { id: 'user_api_mail' }))
    await sync.drain()
    const body = { kind: 'retry', filter: { handler: name } } as const
    expect(await ask(createDashboardHandler(sync), 'POST jobs/count', { body })).toMatchObject({
      count: { value: 2 },
      secretsForgotten: { value: 1 },
    })
    await sync.handlers.discard({ handlers: [name] })
  })

  it('shows refused requests by what was wrong', async () => {
    const { handler } = await open()
    await expect
      .poll(async () => (await ask(handler, 'GET rejected')).groups, { timeout: 10_000 })
      .toMatchObject([{ code: 'signature_mismatch', count: 1, samples: [{ status: 400 }] }])
  })

  it('says what it cannot do', async () => {
    const { handler } = await open()
    const path = { resource: 'users', id: 'user_api' }
    for (const [name, options] of [
      ['POST resources/{resource}/{id}/compare', { path }],
      ['POST resources/{resource}/{id}/apply', { path }],
      ['GET settings', {}],
      ['GET simulator', {}],
    ] as const) {
      expect(await refusal(handler, name, options)).toEqual([501, 'feature_unavailable'])
    }
    const session = await ask(handler, 'GET session')
    expect(session).toMatchObject({
      role: 'admin',
      features: { clerkApi: false, handlers: true, simulator: false },
    })
    const { checks } = await ask(handler, 'GET health')
    expect(checks.map(({ name, status }) => [name, status])).toContainEqual(['Reachable', 'pass'])
  })

  it('marks a deploy once, whoever tells of it and however often', async () => {
    const sync = await database.open({ release: 'v1' })
    const handler = createDashboardHandler(sync)
    await deliver(sync, eventOf('user.created', { id: 'user_deployed' }))
    for (let time = 0; time < 2; time++)
      expect(await ask(handler, 'POST releases', { body: { release: 'v2 <b>' } })).toEqual({ done: true })
    await ask(handler, 'POST releases', { body: { release: 'v1' } })
    const since = new Date(Date.now() - 3_600_000).toISOString()
    const { releases } = await ask(handler, 'GET traffic', { query: { since } })
    expect(releases.map(({ release }) => release)).toEqual(['v1', 'v2 <b>'])
    const { items } = await ask(handler, 'GET audit')
    const deeds = items.filter(({ action }) => action === 'release').map(({ target }) => target)
    expect(deeds).toEqual(['releases/v1', 'releases/v2 <b>', 'releases/v2 <b>'])
  })

  it.each([
    ['none', {}],
    ['an empty one', { release: '' }],
    ['one that is no text', { release: 7 }],
    ['one of 101 characters', { release: 'x'.repeat(101) }],
    ['one with a NUL', { release: 'v\u0000' }],
  ])('refuses a release: %s', async (_, body) => {
    const { handler, sync } = await open()
    expect((await refusal(handler, 'POST releases', { body }))[0]).toBe(400)
    const rows = await sync.database
      .selectFrom('releases')
      .where('release', 'not in', ['v1', 'v2 <b>'])
      .execute()
    expect(rows).toEqual([])
  })
})
