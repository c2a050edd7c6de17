/** What every engine must do, on every database it works with. */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type {
  ClerkEvent,
  ClerkSync,
  ClerkSyncOptions,
  EngineFactory,
  HandlerContext,
  HandlerRunsTable,
} from '../../src/index.ts'
import type { TestDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const PATIENT = { timeout: 20_000, interval: 20 }

/** Sooner than a worker's own look into the table can be: some engine has woken it. */
const WOKEN = { timeout: 12_000, interval: 20 }

/** Retries at once: a test is not to wait for Svix's schedule. */
const SOON = [0.05, 0.05, 0.05]

/** Nobody waits for handlers that are made to hang. */
const HURRY = { handlerGraceMs: 100 }

let made = 0

/** A user nobody has seen before; his events are of one resource. */
function userEvent(
  type: 'user.created' | 'user.updated' = 'user.created',
  id = newId(),
  at = Date.now(),
): ClerkEvent {
  return eventOf(type, { id, created_at: at, updated_at: at }, at)
}

function newId(): string {
  return `user_contract${made++}`
}

/** An engine, and what has to be done for it in an app besides, once the handlers are registered. */
export interface Installation {
  readonly engine: EngineFactory
  readonly install?: (sync: ClerkSync) => Promise<void>
}

export function engineContract(
  title: string,
  database: TestDatabase,
  provide: () => Installation | Promise<Installation>,
): void {
  describe(title, () => {
    const open = async (options: ClerkSyncOptions = {}) => {
      const { engine, install } = await provide()
      const sync = await database.open({ engine, ...options })
      onTestFinished(() => sync.close(HURRY))
      return { sync, install: async () => install?.(sync) }
    }

    /** A sync with one handler, at work. */
    async function opened(
      handle: (context: HandlerContext) => unknown,
      options: Parameters<ClerkSync['on']>[2] = {},
    ): Promise<{ sync: ClerkSync; name: string }> {
      const name = options.name ?? `handler-${made++}`
      const { sync, install } = await open()
      sync.on('*', handle, { retries: SOON, ...options, name })
      await install()
      await sync.work()
      return { sync, name }
    }

    it('calls a handler with the event, its row and what it changed', async () => {
      const seen: HandlerContext[] = []
      const { sync, name } = await opened((context) => seen.push(context))
      const id = newId()
      const first = await deliver(sync, userEvent('user.created', id, 1_000_000_000_000))
      const changed = eventOf(
        'user.updated',
        { id, first_name: 'Grace', updated_at: 1_000_000_001_000 },
        1_000_000_001_000,
      )
      const second = await deliver(sync, changed)
      await vi.waitFor(() => expect(seen).toHaveLength(2), PATIENT)
      const [created, updated] = seen.sort((a, b) => a.event.type.localeCompare(b.event.type))
      expect(created).toMatchObject({
        event: { type: 'user.created', data: { id } },
        eventId: first.svixId,
        source: 'webhook',
        outcome: 'applied',
        changes: null,
        attempt: 1,
        idempotencyKey: `${first.svixId}:${name}`,
        row: { id },
      })
      expect(updated).toMatchObject({
        eventId: second.svixId,
        changes: { first_name: { to: 'Grace' } },
        row: { first_name: 'Grace' },
      })
      await vi.waitFor(
        async () => expect(await statuses(sync, name)).toEqual(['succeeded', 'succeeded']),
        PATIENT,
      )
    })

    it('gives an event and a row that can be copied, printed and changed, with what Clerk said in full', async () => {
      const seen: HandlerContext[] = []
      const { sync } = await opened((context) => seen.push({ ...context }))
      const { data } = userEvent()
      await deliver(sync, eventOf('user.created', data))
      await vi.waitFor(() => expect(seen).toHaveLength(1), PATIENT)
      const [{ event, row }] = seen as [HandlerContext]
      expect(event.data).toEqual(data)
      const copy = structuredClone({ ...row }) as { raw: object }
      expect(copy.raw).toEqual(data)
      expect(JSON.parse(JSON.stringify(row))).toMatchObject({ id: data.id, raw: data })
      expect(Object.assign(row as object, { raw: null })).toMatchObject({ id: data.id, raw: null })
    })

    it('calls it once for each event: not for duplicates, not for what is parked, but for what is late', async () => {
      const seen: string[] = []
      const { sync, name } = await opened(({ event, outcome }) => seen.push(`${event.type} ${outcome}`))
      const id = newId()
      await deliver(sync, userEvent('user.updated', id, 2_000_000_000_000), { id: `msg_once${id}` })
      await deliver(sync, userEvent('user.updated', id, 2_000_000_000_000), { id: `msg_once${id}` })
      await deliver(sync, userEvent('user.created', id, 1_000_000_000_000))
      await deliver(sync, { ...userEvent(), type: 'nobody.knows' })
      await vi.waitFor(() => expect(seen).toHaveLength(2), PATIENT)
      await sleep(100)
      expect(seen.sort()).toEqual(['user.created stale', 'user.updated applied'])
      await vi.waitFor(
        async () => expect(await statuses(sync, name)).toEqual(['succeeded', 'succeeded']),
        PATIENT,
      )
    })

    it('tries again after a failure, and gives up in the end, with every error kept', async () => {
      const { sync, name } = await opened(({ attempt }) => {
        throw new Error(`it fails\u0000 for the ${attempt}. time`)
      })
      await deliver(sync, userEvent())
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['dead']), PATIENT)
      const [run] = await runsOf(sync, name)
      expect(run).toMatchObject({
        attempts: 4,
        error: expect.stringContaining('for the 4. time'),
        claim: null,
      })
      expect(run?.history?.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
      expect(new Set(run?.history?.map(({ error }) => error.split('\n')[0])).size).toBe(4)
    })

    it.each([
      ['undefined', () => undefined],
      ['a string with a NUL', () => 'no\u0000pe'],
      ['a circle', () => circle()],
      ['an error with ten megabytes to say', () => new Error('x'.repeat(10_000_000))],
      ['an error that throws when it is looked at', () => hostile()],
    ])('keeps going when a handler throws %s', async (_, thrown) => {
      const { sync, name } = await opened(
        () => {
          throw thrown()
        },
        { retries: 0 },
      )
      await deliver(sync, userEvent())
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['dead']), PATIENT)
      const [run] = await runsOf(sync, name)
      expect(run?.error?.length).toBeGreaterThan(0)
      expect(run?.error?.length).toBeLessThanOrEqual(2_000)
    })

    it('commits what a handler writes through its transaction with its end, and not with its failure', async () => {
      const table = await tableOf(database)
      const { sync, name } = await opened(async ({ event, attempt, tx }) => {
        await tx.query(`insert into ${table} (user_id, attempt) values ($1, $2)`, [event.data.id, attempt])
        if (attempt < 3) throw new Error('after it has written')
      })
      const id = newId()
      await deliver(sync, userEvent('user.created', id))
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['succeeded']), PATIENT)
      const { rows } = await sql`select attempt from ${sql.raw(table)} where user_id = ${id}`.execute(
        sync.database,
      )
      expect(rows).toEqual([{ attempt: 3 }])
    })

    it('fails a handler that swallowed an error of its transaction', async () => {
      const { sync, name } = await opened(
        async ({ tx }) => {
          await tx.query('select nonsense').catch(() => undefined)
        },
        { retries: 0 },
      )
      await deliver(sync, userEvent())
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['dead']), PATIENT)
    })

    it('ends a handler that takes too long, and its transaction with it', async () => {
      const table = await tableOf(database)
      const aborted: unknown[] = []
      const { sync, name } = await opened(
        async ({ event, tx, signal }) => {
          await tx.query(`insert into ${table} (user_id, attempt) values ($1, 0)`, [event.data.id])
          signal.addEventListener('abort', () => aborted.push(signal.reason.code))
          await new Promise(() => undefined)
        },
        { timeoutSeconds: 0.2, retries: 0 },
      )
      const id = newId()
      await deliver(sync, userEvent('user.created', id))
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['dead']), PATIENT)
      expect(aborted).toEqual(['handler_timeout'])
      const { rows } = await sql`select from ${sql.raw(table)} where user_id = ${id}`.execute(sync.database)
      expect(rows).toEqual([])
    })

    it('lets a handler that hangs hold up nobody else', async () => {
      const seen: string[] = []
      const { sync, install } = await open()
      sync.on('user.created', () => new Promise(() => undefined), {
        name: `hangs-${made++}`,
        concurrency: 1,
        timeoutSeconds: 5,
      })
      sync.on('user.created', ({ event }) => seen.push(event.data.id), { name: `runs-${made++}` })
      await install()
      await sync.work()
      for (let count = 0; count < 5; count++) await deliver(sync, userEvent())
      await vi.waitFor(() => expect(seen).toHaveLength(5), PATIENT)
    })

    it('runs as many at a time as it may, and no more', async () => {
      let running = 0
      let most = 0
      const { sync, name } = await opened(
        async () => {
          most = Math.max(most, ++running)
          await sleep(50)
          running--
        },
        { concurrency: 3 },
      )
      await Promise.all(Array.from({ length: 12 }, () => deliver(sync, userEvent())))
      await vi.waitFor(
        async () => expect(await statuses(sync, name)).toEqual(Array(12).fill('succeeded')),
        PATIENT,
      )
      expect(most).toBe(3)
    })

    it('keeps the order of each resource where that is asked for, and holds back no other resource', async () => {
      const seen: string[] = []
      const [bad, good] = [newId(), newId()]
      let isFixed = false
      const { sync, name } = await opened(
        ({ event }) => {
          const what = `${event.data.id} ${event.timestamp}`
          if (event.data.id === bad && !isFixed) throw new Error('not yet')
          seen.push(what)
        },
        { ordered: true, retries: Array(50).fill(0.1) },
      )
      for (const at of [3_000, 1_000, 2_000]) {
        await deliver(sync, userEvent('user.updated', bad, 1_000_000_000_000 + at))
      }
      for (const at of [1_000, 2_000, 3_000]) {
        await deliver(sync, userEvent('user.updated', good, 1_000_000_000_000 + at))
      }
      await vi.waitFor(() => expect(seen).toHaveLength(3), PATIENT)
      expect(seen).toEqual([1_000, 2_000, 3_000].map((at) => `${good} ${1_000_000_000_000 + at}`))
      isFixed = true
      await vi.waitFor(() => expect(seen).toHaveLength(6), PATIENT)
      expect(seen.slice(3)).toEqual([1_000, 2_000, 3_000].map((at) => `${bad} ${1_000_000_000_000 + at}`))
      await vi.waitFor(
        async () => expect(await statuses(sync, name)).toEqual(Array(6).fill('succeeded')),
        PATIENT,
      )
    })

    it('wakes a run again whose time came while an earlier one of its resource was still running', async () => {
      const seen: unknown[] = []
      const id = newId()
      const { sync, name } = await opened(
        async ({ event, attempt }) => {
          if (event.timestamp === 2_000 && attempt === 1) throw new Error('not yet')
          if (event.timestamp === 1_000) await sleep(1_000)
          seen.push(event.timestamp)
        },
        { ordered: true, retries: Array(5).fill(0.3) },
      )
      await deliver(sync, userEvent('user.updated', id, 2_000))
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['retrying']), PATIENT)
      await deliver(sync, userEvent('user.updated', id, 1_000))
      await vi.waitFor(() => expect(seen).toEqual([1_000, 2_000]), WOKEN)
    })

    it('wakes a run again whose time came while its handler was paused', async () => {
      const seen: number[] = []
      const { sync, name } = await opened(
        ({ attempt }) => {
          if (attempt < 3) throw new Error('not yet')
          seen.push(attempt)
        },
        { retries: Array(5).fill(0.3) },
      )
      await deliver(sync, userEvent())
      for (const attempts of [1, 2]) {
        await vi.waitFor(async () => expect(await tries(sync, name)).toEqual([attempts]), PATIENT)
        await sync.handlers.pause(name)
        await sleep(600)
        await sync.handlers.resume(name)
      }
      await vi.waitFor(() => expect(seen).toEqual([3]), WOKEN)
    })

    it('goes on with a resource, and with all others, after a worker was lost and an earlier event came', async () => {
      const seen: number[] = []
      const name = `lost-in-line-${made++}`
      const [stuck, other] = [newId(), newId()]
      const { sync } = await open()
      sync.on('*', ({ event }) => seen.push(Number(event.timestamp)), { name, ordered: true })
      const runs = sync.database.updateTable('handler_runs').where('handler', '=', name)
      const { svixId } = await deliver(sync, userEvent('user.updated', stuck, 2_000))
      await runs
        .where('event_id', '=', svixId)
        .set({ status: 'running', attempts: 1, claim: 'lost', worker: name, started_at: new Date() })
        .execute()
      await sync.database
        .insertInto('handler_workers')
        .values({ id: name, lease_until: new Date(Date.now() - 1_000) })
        .execute()
      await deliver(sync, userEvent('user.updated', stuck, 1_000))
      await deliver(sync, userEvent('user.updated', other, 3_000))
      await sync.drain({ maxSeconds: 20 })
      // The earlier one first, though the later one had begun.
      expect(seen.filter((at) => at < 3_000)).toEqual([1_000, 2_000])
      expect(seen).toContain(3_000)
    })

    it('shares the work among workers: every run once', async () => {
      const seen: string[] = []
      const name = `shared-${made++}`
      const { sync } = await opened(({ eventId }) => seen.push(eventId), { name })
      await opened(({ eventId }) => seen.push(eventId), { name })
      const receipts = await Promise.all(Array.from({ length: 40 }, () => deliver(sync, userEvent())))
      await vi.waitFor(
        async () => expect(await statuses(sync, name)).toEqual(Array(40).fill('succeeded')),
        PATIENT,
      )
      expect(seen.sort()).toEqual(receipts.map(({ svixId }) => svixId).sort())
    })

    it('starts the runs of a worker that was stopped elsewhere at once, and does not count their try', async () => {
      const name = `stopped-${made++}`
      const started = Promise.withResolvers<void>()
      const { sync } = await opened(
        ({ signal }) => {
          started.resolve()
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
        { name },
      )
      await deliver(sync, userEvent())
      await started.promise
      const attempts: number[] = []
      await opened(({ attempt }) => attempts.push(attempt), { name })
      await sync.close(HURRY)
      await vi.waitFor(() => expect(attempts).toEqual([1]), PATIENT)
    })

    it('starts the runs of a lost worker again, and lets the lost one change nothing any more', async () => {
      const table = await tableOf(database)
      const name = `lost-${made++}`
      const resume = Promise.withResolvers<void>()
      const zombie = await opened(
        async ({ event, attempt, tx }) => {
          if (attempt === 1) await resume.promise
          await tx.query(`insert into ${table} (user_id, attempt) values ($1, $2)`, [event.data.id, attempt])
        },
        { name },
      )
      const id = newId()
      await deliver(zombie.sync, userEvent('user.created', id))
      await vi.waitFor(async () => expect(await statuses(zombie.sync, name)).toEqual(['running']), PATIENT)
      // As after twenty seconds without a heartbeat.
      const [run] = await runsOf(zombie.sync, name)
      await zombie.sync.database
        .updateTable('handler_workers')
        .set({ lease_until: new Date(0) })
        .where('id', '=', run?.worker as string)
        .execute()
      const { sync } = await opened(
        async ({ event, attempt, tx }) => {
          await tx.query(`insert into ${table} (user_id, attempt) values ($1, $2)`, [event.data.id, attempt])
        },
        { name },
      )
      await vi.waitFor(async () => expect(await statuses(sync, name)).toEqual(['succeeded']), PATIENT)
      resume.resolve()
      await sleep(300)
      const { rows } = await sql`select attempt from ${sql.raw(table)} where user_id = ${id}`.execute(
        sync.database,
      )
      expect(rows).toEqual([{ attempt: 2 }])
      expect(await statuses(sync, name)).toEqual(['succeeded'])
    })

    it('runs what is due when asked to, without a worker', async () => {
      const seen: string[] = []
      const name = `drained-${made++}`
      const { sync } = await open()
      sync.on(
        '*',
        ({ eventId, attempt }) => {
          if (attempt === 1) throw new Error('the first try')
          seen.push(eventId)
        },
        { name, retries: [0.01] },
      )
      const receipts = await Promise.all(Array.from({ length: 25 }, () => deliver(sync, userEvent())))
      const totals = [await sync.drain({ maxSeconds: 10 })]
      while (seen.length < 25) totals.push(await sync.drain({ maxSeconds: 10 }))
      expect(seen.sort()).toEqual(receipts.map(({ svixId }) => svixId).sort())
      expect(totals.reduce((sum, each) => sum + each.failed, 0)).toBe(25)
      expect(await sync.drain()).toEqual({ succeeded: 0, failed: 0 })
    })
  })
}

/** A table of the team's own, beside ours. */
async function tableOf(database: TestDatabase): Promise<string> {
  const { schema } = await database.location()
  const sync = await database.open()
  onTestFinished(() => sync.close())
  const table = `"${schema}".notes`
  await sql`create table if not exists ${sql.raw(table)} (user_id text, attempt integer)`.execute(
    sync.database,
  )
  return table
}

async function runsOf(sync: ClerkSync, handler: string) {
  return sync.database.selectFrom('handler_runs').selectAll().where('handler', '=', handler).execute()
}

async function statuses(sync: ClerkSync, handler: string): Promise<HandlerRunsTable['status'][]> {
  return (await runsOf(sync, handler)).map(({ status }) => status) as never
}

async function tries(sync: ClerkSync, handler: string): Promise<number[]> {
  return (await runsOf(sync, handler)).map(({ attempts }) => attempts) as never
}

function circle(): object {
  const object: { self?: object } = {}
  object.self = object
  return object
}

function hostile(): Error {
  return Object.defineProperty(new Error(), 'message', {
    get() {
      throw new Error('do not look')
    },
  })
}
