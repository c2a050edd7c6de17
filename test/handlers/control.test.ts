import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ClerkSync, HandlerContext, HandlerOptions } from '../../src/index.ts'
import { read } from '../../src/inspect/reading.ts'
import { runsOfEvent } from '../../src/inspect/runs.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'
import { eventIn, secretBodyIn } from '../support/ledger.ts'

const PATIENT = { timeout: 20_000, interval: 20 }
let made = 0

describeEachDatabase('people', (database) => {
  /** A sync with one handler; it works when it is told to. */
  async function opened(
    handle: (context: HandlerContext<'user.*'>) => unknown,
    options: HandlerOptions = {},
  ) {
    const sync = await database.open()
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    const name = options.name ?? `people-${made++}`
    sync.on('user.*', handle, { retries: 0, ...options, name })
    return { sync, name }
  }

  const newUser = (id = `user_people${made++}`, at = Date.now()) =>
    eventOf('user.created', { id, created_at: at, updated_at: at }, at)

  async function statuses(sync: ClerkSync, handler: string) {
    const rows = await sync.database
      .selectFrom('handler_runs')
      .select('status')
      .where('handler', '=', handler)
      .execute()
    return rows.map(({ status }) => status).sort()
  }

  const until = (sync: ClerkSync, name: string, expected: string[]) =>
    vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(expected), PATIENT)

  it('pause a handler, which loses nothing, and let it go on', async () => {
    const seen: string[] = []
    const { sync, name } = await opened(({ eventId }) => seen.push(eventId))
    await sync.handlers.pause(name, 'the CRM is down')
    await sync.work()
    const { svixId } = await deliver(sync, newUser())
    await sleep(200)
    expect(seen).toEqual([])
    expect(await sync.handlers.list()).toEqual([
      { name, patterns: ['user.*'], pausedAt: expect.any(Date), pauseReason: 'the CRM is down' },
    ])
    await sync.handlers.resume(name)
    await vi.waitFor(() => expect(seen).toEqual([svixId]), PATIENT)
    expect(await sync.handlers.list()).toMatchObject([{ pausedAt: null, pauseReason: null }])
  })

  it('try again what failed, by group, after the fix', async () => {
    let isFixed = false
    const { sync, name } = await opened(({ event }) => {
      if (!isFixed) throw new Error(`no room for ${event.data.id} in shelf 17`)
    })
    await sync.work()
    for (let count = 0; count < 5; count++) await deliver(sync, newUser())
    await until(sync, name, Array(5).fill('dead'))
    const rows = await sync.database
      .selectFrom('handler_runs')
      .select('fingerprint')
      .distinct()
      .where('handler', '=', name)
      .execute()
    expect(rows).toHaveLength(1)
    isFixed = true
    const filter = { handlers: [name], fingerprints: [rows[0]?.fingerprint as string] }
    expect(await sync.handlers.count(filter)).toBe(5)
    const result = await sync.handlers.retry(filter, { note: 'more shelves', perSecond: 1_000 })
    expect(result).toMatchObject({ status: 'complete', matched: 5, seen: 5, changed: 5 })
    await until(sync, name, Array(5).fill('succeeded'))
    const job = await sync.database
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', result.jobId)
      .executeTakeFirstOrThrow()
    expect(job).toMatchObject({
      kind: 'retry',
      status: 'complete',
      progress: { matched: 5, seen: 5, changed: 5 },
    })
  })

  it('stop trying again when nothing gets better, and can be stopped in the middle', async () => {
    const { sync, name } = await opened(() => {
      throw new Error('still')
    })
    await sync.work()
    for (let count = 0; count < 6; count++) await deliver(sync, newUser())
    await until(sync, name, Array(6).fill('dead'))
    const stopped = await sync.handlers.retry({ handlers: [name] }, { perSecond: 2, stopAfterFailures: 2 })
    expect(stopped).toMatchObject({ status: 'incomplete', changed: 2 })
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    const aborted = await sync.handlers.retry(
      { handlers: [name] },
      { perSecond: 2, signal: controller.signal, onProgress },
    )
    expect(aborted).toMatchObject({ status: 'aborted', changed: 2 })
  })

  it('discard what needs not succeed, which sets the next of an ordered handler free', async () => {
    const seen: string[] = []
    const { sync, name } = await opened(
      ({ event }) => {
        if (event.type === 'user.created') throw new Error('never')
        seen.push(event.type)
      },
      { ordered: true },
    )
    await sync.work()
    const id = `user_people${made++}`
    await deliver(sync, newUser(id, 1_000_000_000_000))
    await deliver(sync, eventOf('user.updated', { id, updated_at: 1_000_000_001_000 }, 1_000_000_001_000))
    await until(sync, name, ['dead', 'pending'])
    const result = await sync.handlers.discard(
      { handlers: [name], statuses: ['dead'] },
      { note: 'a test account' },
    )
    expect(result).toMatchObject({ status: 'complete', changed: 1 })
    await until(sync, name, ['discarded', 'succeeded'])
    expect(seen).toEqual(['user.updated'])
  })

  it('try one run again, whatever became of it', async () => {
    const attempts: number[] = []
    const { sync, name } = await opened(({ attempt }) => attempts.push(attempt))
    await sync.work()
    const { svixId } = await deliver(sync, newUser())
    await until(sync, name, ['succeeded'])
    expect(await sync.handlers.retryOne({ eventId: svixId, handler: name }, 'again')).toBe(true)
    await vi.waitFor(() => expect(attempts).toEqual([1, 1]), PATIENT)
    expect(await sync.handlers.retryOne({ eventId: 'msg_none', handler: name })).toBe(false)
  })

  it('see which failures are from before a run was begun again', async () => {
    const { sync, name } = await opened(
      () => {
        throw new Error('no room')
      },
      { retries: [0.02] },
    )
    await sync.work()
    const { svixId } = await deliver(sync, newUser())
    const runOf = async () => {
      const [run] = await read({ database: sync.database, schema: sync.location.schema }, (reading) =>
        runsOfEvent(reading, svixId, false),
      )
      const { state, attempts, failures = [], earlierFailures } = run ?? {}
      return { state, attempts, tries: failures.map(({ attempt }) => attempt), earlierFailures }
    }
    const first = { state: 'dead', attempts: 2, tries: [1, 2], earlierFailures: 0 }
    await vi.waitFor(async () => expect(await runOf()).toEqual(first), PATIENT)
    await sync.handlers.pause(name)
    await sync.handlers.retryOne({ eventId: svixId, handler: name })
    expect(await runOf()).toEqual({ state: 'pending', attempts: 0, tries: [1, 2], earlierFailures: 2 })
    await sync.handlers.resume(name)
    const again = { state: 'dead', attempts: 2, tries: [1, 2, 1, 2], earlierFailures: 2 }
    await vi.waitFor(async () => expect(await runOf()).toEqual(again), PATIENT)
  })

  it('run a new handler for what was recorded before it, once', async () => {
    const before = await opened(() => undefined)
    const since = new Date()
    const receipts = [await deliver(before.sync, newUser()), await deliver(before.sync, newUser())]
    const seen: string[] = []
    const { sync, name } = await opened(({ eventId }) => seen.push(eventId))
    await sync.work()
    const past = { since: new Date(since.getTime() - 1_000) }
    const first = await sync.handlers.run(name, past, { perSecond: 1_000 })
    expect(first.changed).toBeGreaterThanOrEqual(2)
    await vi.waitFor(
      () => expect(seen).toEqual(expect.arrayContaining(receipts.map(({ svixId }) => svixId))),
      PATIENT,
    )
    expect(await sync.handlers.run(name, past)).toMatchObject({ status: 'complete', changed: 0 })
  })

  it('run a new handler for the rows that exist, but not for those it has run for already', async () => {
    const earlier = await opened(() => undefined)
    const [there, gone, later] = ['user_peopleThere', 'user_peopleGone', 'user_peopleLater']
    await deliver(earlier.sync, newUser(there))
    await deliver(earlier.sync, newUser(gone))
    await deliver(earlier.sync, eventOf('user.deleted', { id: gone }, Date.now() + 1_000))
    const seen: HandlerContext<'user.*'>[] = []
    const { sync, name } = await opened((context) => seen.push(context))
    await sync.work()
    await deliver(sync, newUser(later))
    await sync.handlers.run(name, { existing: 'users' }, { perSecond: 1_000 })
    await vi.waitFor(
      () => expect(seen.map(({ row }) => row?.id)).toEqual(expect.arrayContaining([there, later])),
      PATIENT,
    )
    await sleep(200)
    const mine = seen.filter(({ event }) => [there, gone, later].includes(event.data.id))
    expect(mine.map(({ event, source }) => [event.type, event.data.id, source]).sort()).toEqual([
      ['user.created', later, 'webhook'],
      ['user.created', there, 'existing'],
    ])
    expect(await sync.handlers.run(name, { existing: 'users' })).toMatchObject({ changed: 0 })
  })

  it('see the secrets of an event while a handler needs them, and nobody afterwards', async () => {
    const codes: unknown[] = []
    const sync = await database.open()
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    const name = `people-${made++}`
    sync.on('email.created', ({ event }) => codes.push(event.data.data?.otp_code), { name })
    const { svixId } = await deliver(
      sync,
      eventOf('email.created', { id: `ema_people${made++}`, data: { otp_code: '918273' } }),
    )
    const secrets = () => secretBodyIn(sync, svixId)
    expect(await secrets()).toContain('918273')
    await sync.work()
    await until(sync, name, ['succeeded'])
    expect(codes).toEqual(['918273'])
    // A statement of its own, after the one that ends the runs.
    await expect.poll(secrets).toBe('')
    expect(Buffer.from((await eventIn(sync, svixId)).body ?? '').toString()).not.toContain('918273')
  })

  it('replay what was parked, and its handlers run then', async () => {
    const seen: string[] = []
    const parking = await database.open({ instanceId: 'ins_other' })
    onTestFinished(() => parking.close())
    const { svixId } = await deliver(parking, newUser())
    const { sync, name } = await opened(({ eventId }) => seen.push(eventId))
    await sync.work()
    await sync.replay({ ids: [svixId] })
    await until(sync, name, ['succeeded'])
    await sync.replay({ ids: [svixId] })
    await sleep(100)
    expect(seen).toEqual([svixId])
  })

  it('are told what is wrong with a handler', async () => {
    const { sync, name } = await opened(() => undefined)
    const fails = (work: () => void) => {
      try {
        work()
      } catch (error) {
        return (error as { code: string }).code
      }
      return undefined
    }
    expect(fails(() => sync.on('*', () => undefined))).toBe('handler_invalid')
    expect(fails(() => sync.on('*', () => undefined, { name: 'with spaces' }))).toBe('handler_invalid')
    expect(fails(() => sync.on('*', () => undefined, { name: 'slow', timeoutSeconds: 0 }))).toBe(
      'handler_invalid',
    )
    expect(fails(() => sync.on('*', () => undefined, { name: 'often', retries: [-1] }))).toBe(
      'handler_invalid',
    )
    expect(fails(() => sync.on('*', () => undefined, { name }))).toBe('handler_duplicate')
    await sync.work()
    expect(fails(() => sync.on('*', () => undefined, { name: 'late' }))).toBe('handler_late')
    await expect(sync.handlers.pause('nobody')).rejects.toMatchObject({ code: 'handler_unknown' })
  })
})
