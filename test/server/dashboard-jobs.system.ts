import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import type { Role } from '../../src/dashboard/api.ts'
import type { DashboardHandler } from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { type BackendApi, createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { emptyAll, scenes } from '../backfill/scenes.ts'
import { ask, refusal } from '../dashboard/client.ts'
import { over, serve } from '../dashboard/served.ts'
import { startCli, temporaryFolder } from '../support/cli.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf, sign } from '../support/deliveries.ts'

const PATIENT = { timeout: 20_000, interval: 30 }

/** A person by a header, so that one server has several. */
const authorize = (request: Request) => {
  const role = request.headers.get('x-role') as Role | null
  return role && { name: `${role}@example.com`, role }
}
const as = (role: Role) => ({ headers: { 'x-role': role } })
const ADMIN = as('admin')

const stateOf = async (handler: DashboardHandler, id: string) =>
  (await ask(handler, 'GET jobs/{id}', { path: { id }, ...ADMIN })).state

describeEachDatabase('a server that may ask Clerk', (database) => {
  const { serve: serveApi, open } = scenes(database)
  interface Scene {
    readonly clerk: SimulatedClerk
    readonly api: BackendApi
    readonly sync: ClerkSync
    readonly handler: DashboardHandler
    readonly userId: string
  }

  /** Three users, none of whom the tables know. Every answer of Clerk is late enough to be stopped between two. */
  async function scene(slowMs = 0): Promise<Scene> {
    const clerk = createSimulatedClerk({ seed: 11 })
    const [created] = [clerk.act('createUser'), clerk.act('createUser'), clerk.act('createUser')][0] ?? []
    const api = await serveApi(clerk, slowMs > 0 ? { faults: { slow: 1 }, slowMs } : {})
    const sync = await open(api)
    await emptyAll(sync)
    return { clerk, api, sync, handler: await serve(sync, { authorize }), userId: String(created?.data.id) }
  }

  const compare = ({ handler, userId }: Scene) =>
    ask(handler, 'POST resources/{resource}/{id}/compare', {
      path: { resource: 'users', id: userId },
      ...as('viewer'),
    })
  const apply = ({ handler, userId }: Scene) =>
    ask(handler, 'POST resources/{resource}/{id}/apply', {
      path: { resource: 'users', id: userId },
      ...ADMIN,
    })

  it('compares a row with Clerk’s field by field, and applies Clerk’s version for an administrator only', async () => {
    const opened = await scene()
    const { clerk, sync, handler, userId } = opened
    expect(await compare(opened)).toMatchObject({ result: 'missing_here' })
    expect(await apply(opened)).toMatchObject({ result: 'same' })
    clerk.advanceTo(clerk.now + 60_000)
    clerk.act('updateUser', userId)
    const seen = await compare(opened)
    expect(seen).toMatchObject({
      result: 'different',
      isMasked: true,
      cause: expect.stringMatching(/No event arrived/),
    })
    expect(seen.fields.filter(({ isEqual }) => !isEqual).map(({ field }) => field)).toContain('updated_at')

    const path = { resource: 'users', id: userId }
    const denied = await refusal(handler, 'POST resources/{resource}/{id}/apply', { path, ...as('operator') })
    expect(denied).toEqual([403, 'role_insufficient'])
    expect(await apply(opened)).toMatchObject({ result: 'same' })
    const row = await sync.database
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .executeTakeFirstOrThrow()
    expect(row.clerk_updated_at?.getTime()).toBe(clerk.resources('users').get(userId)?.updated_at)
    expect(await compare(opened)).toMatchObject({ result: 'same', cause: null })
    const { items } = await ask(handler, 'GET audit', ADMIN)
    expect(items[0]).toMatchObject({
      action: 'apply',
      actor: 'admin@example.com',
      target: `resources/users/${userId}`,
      succeeded: true,
    })
  })

  it('applies a deletion that no event told of', async () => {
    const opened = await scene()
    const { clerk, sync, userId } = opened
    await apply(opened)
    clerk.act('deleteUser', userId)
    expect(await compare(opened)).toMatchObject({
      result: 'missing_in_clerk',
      cause: 'No event arrived for its deletion.',
    })
    expect(await apply(opened)).toMatchObject({ result: 'deleted' })
    const row = await sync.database
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .executeTakeFirstOrThrow()
    expect(row.deleted_at).toBeInstanceOf(Date)
  })

  it('says within seconds what is wrong with Clerk or the key where it cannot compare', async () => {
    const opened = await scene()
    const unavailable = (code: string) => ({
      result: 'unavailable',
      fields: [],
      problem: { code, message: expect.any(String), remedy: expect.any(String) },
    })
    opened.api.failNext('html_page', { times: 20 })
    const startedAt = performance.now()
    expect(await compare(opened)).toMatchObject(unavailable('api_unavailable'))
    expect(performance.now() - startedAt).toBeLessThan(8_000)
    const sync = await open(opened.api, { secretKey: 'sk_test_of_another_instance' })
    const other = await serve(sync, { authorize })
    expect(await compare({ ...opened, handler: other })).toMatchObject(unavailable('api_key_refused'))
  })

  it('starts a backfill that is paused, seen as paused, and goes on where it was', async () => {
    const { handler, sync } = await scene(150)
    const { id, startedBy } = await ask(handler, 'POST jobs', {
      body: { kind: 'backfill' },
      ...as('operator'),
    })
    expect(startedBy).toBe('operator@example.com')
    const other = await refusal(handler, 'POST jobs', { body: { kind: 'reconcile' }, ...as('viewer') })
    expect(other).toEqual([403, 'role_insufficient'])
    await expect
      .poll(async () => (await ask(handler, 'GET jobs/{id}', { path: { id }, ...ADMIN })).done, PATIENT)
      .toBeGreaterThan(0)
    const paused = await ask(handler, 'POST jobs/{id}/pause', { path: { id }, ...as('operator') })
    expect(paused).toMatchObject({ id, state: 'paused', error: 'paused by operator@example.com' })
    const { done } = paused
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(await ask(handler, 'GET jobs/{id}', { path: { id }, ...ADMIN })).toMatchObject({
      state: 'paused',
      done,
    })

    const resumed = await ask(handler, 'POST jobs/{id}/resume', { path: { id }, ...as('operator') })
    expect(resumed.id).toBe(id)
    await expect.poll(() => stateOf(handler, id), PATIENT).toBe('done')
    const users = await sync.database.selectFrom('users').select('id').execute()
    expect(users).toHaveLength(3)
    const overview = await ask(handler, 'GET overview', ADMIN)
    expect(overview.resources.find(({ resource }) => resource === 'users')).toMatchObject({
      here: { value: 3 },
      clerk: 3,
      // A backfill compares nothing.
      drift: null,
      checkedAt: null,
    })
    expect(overview.checklist).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ step: 'backfill', isDone: true })]),
    )
    const compared = await ask(handler, 'POST jobs', { body: { kind: 'reconcile' }, ...as('operator') })
    await expect.poll(() => stateOf(handler, compared.id), PATIENT).toBe('done')
    const { resources } = await ask(handler, 'GET overview', ADMIN)
    expect(resources.find(({ resource }) => resource === 'users')).toMatchObject({
      clerk: 3,
      drift: 0,
      checkedAt: expect.any(String),
    })
  })

  it('starts a comparison that only an administrator aborts, and that leaves the tables as they were', async () => {
    const { handler } = await scene(150)
    const { id } = await ask(handler, 'POST jobs', {
      body: { kind: 'reconcile', resources: ['users'], dryRun: true },
      ...as('operator'),
    })
    const path = { id }
    expect(await refusal(handler, 'POST jobs/{id}/abort', { path, ...as('operator') })).toEqual([
      403,
      'role_insufficient',
    ])
    expect(await ask(handler, 'POST jobs/{id}/abort', { path, ...ADMIN })).toMatchObject({ state: 'aborted' })
    expect(await refusal(handler, 'POST jobs/{id}/pause', { path, ...ADMIN })).toEqual([409, 'job_over'])
    const again = await ask(handler, 'POST jobs', {
      body: { kind: 'reconcile', resources: ['users'], dryRun: true },
      ...as('operator'),
    })
    await expect.poll(() => stateOf(handler, again.id), PATIENT).toBe('done')
    const { report } = await ask(handler, 'GET jobs/{id}', { path: { id: again.id }, ...ADMIN })
    expect(report).toMatchObject({ resources: { users: { kinds: { missing: 3 } } } })
    const { items } = await ask(handler, 'GET resources/{resource}', {
      path: { resource: 'users' },
      ...ADMIN,
    })
    expect(items).toEqual([])
  })
})

describeEachDatabase('a server with handlers', (database) => {
  let isBroken = true
  const ran = vi.fn()
  afterEach(() => {
    ran.mockClear()
    isBroken = true
  })

  async function withFailures(ids: readonly string[]) {
    const sync = await database.open()
    for (const table of ['events', 'handler_runs', 'jobs', 'audit_log'] as const) {
      await sync.database.deleteFrom(table).execute()
    }
    sync.on(
      'user.created',
      ({ event }) => {
        if (isBroken) throw new Error('the CRM is down')
        ran(event.data.id)
      },
      { name: `syncCrm${ids[0]}`, retries: 0 },
    )
    for (const id of ids)
      await deliver(sync, eventOf('user.created', { id: `user_${id}` }), { id: `msg_${id}` })
    while ((await sync.drain({ maxSeconds: 5 })).failed > 0);
    return { sync, handler: await serve(sync, { authorize }), name: `syncCrm${ids[0]}` }
  }

  const counted = async (handler: DashboardHandler, kind: 'retry' | 'discard', name: string) => {
    const target = { kind, filter: { handler: name } }
    const { until, count } = await ask(handler, 'POST jobs/count', { body: target, ...ADMIN })
    return { ...target, until, expected: count.value }
  }

  it('retries many as a job at its rate, which can be paused and goes on with its rate', async () => {
    const ids = ['rt1', 'rt2', 'rt3', 'rt4']
    const { sync, handler, name } = await withFailures(ids)
    isBroken = false
    const body = await counted(handler, 'retry', name)
    expect(body.expected).toBe(4)
    await deliver(sync, eventOf('user.created', { id: 'user_late' }), { id: 'msg_late' })
    const startedAt = performance.now()
    const { id } = await ask(handler, 'POST jobs', { body: { ...body, perSecond: 1 }, ...as('operator') })
    const paused = await ask(handler, 'POST jobs/{id}/pause', { path: { id }, ...as('operator') })
    expect([paused.state, paused.done]).toEqual(['paused', expect.toBeOneOf([1, 2, 3])])
    const { scope } = await ask(handler, 'GET jobs/{id}', { path: { id }, ...ADMIN })
    expect(scope).toMatchObject({ handlers: [name], pace: { perSecond: 1 } })
    await sync.drain({ maxSeconds: 5 })
    const resumed = await ask(handler, 'POST jobs/{id}/resume', { path: { id }, ...as('operator') })
    await expect.poll(() => stateOf(handler, resumed.id), PATIENT).toBe('done')
    expect((await ask(handler, 'GET jobs/{id}', { path: { id: resumed.id }, ...ADMIN })).scope).toMatchObject(
      {
        pace: { perSecond: 1 },
      },
    )
    expect(performance.now() - startedAt).toBeGreaterThan(2_500)
    // Another job goes on with it: the old one is over, and shows which.
    expect(await ask(handler, 'GET jobs/{id}', { path: { id }, ...ADMIN })).toMatchObject({
      state: 'aborted',
      error: `resumed as ${resumed.id} by operator@example.com`,
    })
    expect(await refusal(handler, 'POST jobs/{id}/resume', { path: { id }, ...ADMIN })).toEqual([
      409,
      'job_over',
    ])
    await sync.drain({ maxSeconds: 5 })
    expect(ran.mock.calls.flat().sort()).toEqual(['user_late', ...ids.map((each) => `user_${each}`)])
    expect((await ask(handler, 'GET failures', ADMIN)).groups).toEqual([])
  })

  it('discards many as a job with a reason, for administrators', async () => {
    const { handler, name } = await withFailures(['dc1', 'dc2'])
    const body = await counted(handler, 'discard', name)
    expect(await refusal(handler, 'POST jobs', { body, ...ADMIN })).toEqual([400, 'request_invalid'])
    const reasoned = { ...body, reason: 'the CRM was shut down' }
    expect(await refusal(handler, 'POST jobs', { body: reasoned, ...as('operator') })).toEqual([
      403,
      'role_insufficient',
    ])
    const { id } = await ask(handler, 'POST jobs', { body: reasoned, ...ADMIN })
    await expect.poll(() => stateOf(handler, id), PATIENT).toBe('done')
    const { handlerRuns } = await ask(handler, 'GET events/{id}', { path: { id: 'msg_dc2' }, ...ADMIN })
    expect(handlerRuns).toMatchObject([{ state: 'discarded', note: 'the CRM was shut down' }])
    const { items } = await ask(handler, 'GET audit', ADMIN)
    expect(items[0]).toMatchObject({
      action: 'job_started',
      target: `jobs/${id}`,
      reason: 'the CRM was shut down',
    })
  })

  it('replays at the rate that was asked for, and after a pause only what is left', async () => {
    const { handler } = await withFailures(['rp1', 'rp2', 'rp3', 'rp4', 'rp5'])
    const target = { kind: 'replay', filter: { type: ['user.*'] } } as const
    const { until } = await ask(handler, 'POST jobs/count', { body: target, ...ADMIN })
    const startedAt = performance.now()
    const body = { ...target, until, expected: 5, perSecond: 1 }
    const { id } = await ask(handler, 'POST jobs', { body, ...as('operator') })
    const paused = await ask(handler, 'POST jobs/{id}/pause', { path: { id }, ...as('operator') })
    expect([paused.state, paused.total.value]).toEqual(['paused', 5])
    expect(paused.done).toBeLessThan(5)
    const resumed = await ask(handler, 'POST jobs/{id}/resume', { path: { id }, ...as('operator') })
    await expect.poll(() => stateOf(handler, resumed.id), PATIENT).toBe('done')
    // The last of the earlier ones may come again: its time is where it goes on.
    const { done, scope } = await ask(handler, 'GET jobs/{id}', { path: { id: resumed.id }, ...ADMIN })
    expect(done).toBeOneOf([5, 6].map((all) => all - Number(paused.done)))
    expect(scope).toMatchObject({ pace: { perSecond: 1 } })
    expect(performance.now() - startedAt).toBeGreaterThan(3_500)
  })
})

describeWithPostgres('two processes', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()
  const CONFIG = fileURLToPath(new URL('../cli/handlers-config.ts', import.meta.url))
  const TOKEN = 'a-token-of-many-characters'

  it('agree that a handler is paused, whichever was told', async () => {
    const { schema } = await database.location()
    const sync = await database.open()
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, CLERK_SYNC_DASHBOARD_TOKEN: TOKEN }
    const [first, second] = await Promise.all(
      [1, 2].map(async () => startCli(['--config', CONFIG], { cwd: await folder(), env })),
    )
    const [one, other] = [over(first?.url ?? ''), over(second?.url ?? '')]
    const signedIn = { headers: { authorization: `Bearer ${TOKEN}` } }
    const path = { handler: 'greet' }
    const runOf = async (id: string) =>
      (
        await sync.database
          .selectFrom('handler_runs')
          .select('status')
          .where('event_id', '=', id)
          .where('handler', '=', 'greet')
          .executeTakeFirst()
      )?.status

    await ask(one, 'POST handlers/{handler}/pause', { path, body: { reason: 'too loud' }, ...signedIn })
    const { handlers } = await ask(other, 'GET handlers', signedIn)
    expect(handlers.find(({ name }) => name === 'greet')).toMatchObject({
      isPaused: true,
      pauseReason: 'too loud',
    })
    const { headers, body } = sign(eventOf('user.created', { id: 'user_two' }), { id: 'msg_two' })
    const delivered = await fetch(second?.url ?? '', { method: 'POST', headers, body })
    expect(delivered.status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await runOf('msg_two')).toBe('pending')
    await ask(other, 'POST handlers/{handler}/resume', { path, ...signedIn })
    await expect.poll(() => runOf('msg_two'), PATIENT).toBe('succeeded')
    await Promise.all([first?.stop(), second?.stop()])
  })
})
