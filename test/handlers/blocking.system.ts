import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { LEASE_MS } from '../../src/handlers/lease.ts'
import type { ClerkSync } from '../../src/index.ts'
import { type CliProcess, jsonLines, startCli, temporaryFolder } from '../support/cli.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import config from './blocking-config.ts'

const CONFIG = fileURLToPath(new URL('./blocking-config.ts', import.meta.url))
const USERS = 10
/** Svix waits 15 seconds; a receiver that is well answers in milliseconds, on a machine that is busy in a second. */
const PATIENCE_MS = 5_000

interface Effect {
  readonly handler: string
  readonly event_id: string
  readonly resource: string
  readonly at: string
  readonly attempt: number
  readonly pid: number
}

describeWithPostgres('a handler that blocks the event loop of its worker', (url) => {
  const database = postgresDatabase(url)
  const folder = temporaryFolder()

  async function start(role: 'receiver' | 'worker', blockMs: number): Promise<CliProcess> {
    const { schema } = await database.location()
    const effects = `"${schema}".effects`
    const env = { DATABASE_URL: url, CLERK_SYNC_SCHEMA: schema, EFFECTS: effects, BLOCK_MS: String(blockMs) }
    const args = ['--role', role, '--config', CONFIG, '--json']
    const process = await startCli(args, { cwd: await folder(), env })
    onTestFinished(() => void process.stop('SIGKILL'))
    return process
  }

  /** A receiver, two workers, and an empty table for what the handlers write. */
  async function stage(blockMs: number) {
    const { schema } = await database.location()
    const sync = await database.open({ handlers: config.handlers })
    await sql.raw(`drop table if exists "${schema}".effects`).execute(sync.database)
    await sql
      .raw(
        `create table "${schema}".effects (nr serial, handler text, event_id text, resource text, at bigint, attempt int, pid int)`,
      )
      .execute(sync.database)
    const [receiver, ...workers] = await Promise.all([
      start('receiver', blockMs),
      start('worker', blockMs),
      start('worker', blockMs),
    ])
    const effects = async () =>
      (await sql<Effect>`select * from ${sql.id(schema, 'effects')} order by nr`.execute(sync.database)).rows
    return { sync, receiver: receiver as CliProcess, workers, effects }
  }

  it('for longer than its lease: the other worker takes over, each effect once and in order, the receiver answers, and it is fenced out', async () => {
    const { sync, receiver, workers, effects } = await stage(LEASE_MS + 12_000)
    const sessionId = 'sess_blocks_long'
    await post(receiver, eventOf('session.created', { id: sessionId }))
    const blocked = await whoBlocks(workers)
    const free = workers.find((worker) => worker !== blocked) as CliProcess

    const slowest = await postWhile(
      receiver,
      'long',
      () => !/blocked, probably by one of these/.test(blocked.stdout),
    )
    expect(slowest.ms).toBeLessThan(PATIENCE_MS)

    await vi.waitFor(async () => expect(await open(sync)).toBe(0), { timeout: 60_000, interval: 250 })
    const written = await effects()
    expectOnceAndInOrder(written, slowest.posted)
    // The blocked try wrote and could not commit: its run had been taken over by then.
    const ofBlocking = written.filter(({ handler }) => handler === 'blocks')
    expect(ofBlocking).toEqual([expect.objectContaining({ resource: sessionId, attempt: 2 })])
    expect(ofBlocking[0]?.pid).not.toBe(pidThatBlocks(blocked))
    expect(warnings(blocked)).toContainEqual(
      expect.objectContaining({ handlers: expect.arrayContaining(['blocks']) }),
    )
    expect(warnings(free)).toEqual([])

    // And the process that stood still works on.
    await free.stop()
    const more = eventOf('user.created', { id: 'user_after_long' })
    await post(receiver, more)
    await vi.waitFor(
      async () => expect((await effects()).at(-1)).toMatchObject({ resource: 'user_after_long' }),
      { timeout: 30_000, interval: 250 },
    )
    await Promise.all([receiver.stop(), blocked.stop()])
  }, 240_000)

  it('for longer than a renewal, and not as long as its lease: it keeps its run and nobody else makes it', async () => {
    const { sync, receiver, workers, effects } = await stage(LEASE_MS / 2)
    await post(receiver, eventOf('session.created', { id: 'sess_blocks_short' }))
    const blocked = await whoBlocks(workers)

    const slowest = await postWhile(
      receiver,
      'short',
      () => !/blocked, probably by one of these/.test(blocked.stdout),
    )
    expect(slowest.ms).toBeLessThan(PATIENCE_MS)

    await vi.waitFor(async () => expect(await open(sync)).toBe(0), { timeout: 60_000, interval: 250 })
    const written = await effects()
    expectOnceAndInOrder(written, slowest.posted)
    expect(written.filter(({ handler }) => handler === 'blocks')).toEqual([
      expect.objectContaining({ resource: 'sess_blocks_short', attempt: 1, pid: pidThatBlocks(blocked) }),
    ])
    for (const process of [receiver, ...workers]) await process.stop()
  }, 240_000)
})

/** Posts events of all users, round by round, as long as something goes on. */
async function postWhile(receiver: CliProcess, name: string, goesOn: () => boolean) {
  let ms = 0
  let posted = 0
  for (let round = 0; goesOn(); round++) {
    const at = 1_700_000_000_000 + round * 1_000
    const type = round === 0 ? 'user.created' : 'user.updated'
    for (let user = 0; user < USERS; user++) {
      ms = Math.max(
        ms,
        await post(receiver, eventOf(type, { id: `user_${name}${user}`, updated_at: at }, at)),
      )
      posted++
    }
    await sleep(500)
  }
  // There was something to hold up.
  expect(posted).toBeGreaterThan(3 * USERS)
  return { ms, posted }
}

/** Returns how long the answer took. */
async function post(receiver: CliProcess, event: object): Promise<number> {
  const startedAt = performance.now()
  const { headers, body } = sign(event)
  const { status } = await fetch(receiver.url, { method: 'POST', headers, body })
  expect(status).toBe(200)
  return performance.now() - startedAt
}

function expectOnceAndInOrder(effects: readonly Effect[], count: number): void {
  const beside = effects.filter(({ handler }) => handler === 'beside')
  expect(new Set(beside.map(({ event_id }) => event_id)).size).toBe(count)
  expect(beside).toHaveLength(count)
  for (const ofUser of Map.groupBy(beside, ({ resource }) => resource).values()) {
    const times = ofUser.map(({ at }) => Number(at))
    expect(times).toEqual([...times].sort((a, b) => a - b))
  }
}

/** The worker that got the event, once it stands still. */
async function whoBlocks(workers: readonly CliProcess[]): Promise<CliProcess> {
  return vi.waitFor(
    () => {
      const blocked = workers.find(({ stdout }) => stdout.includes('blocks from now on'))
      if (blocked === undefined) throw new Error('nobody blocks yet')
      return blocked
    },
    { timeout: 30_000, interval: 50 },
  )
}

function pidThatBlocks({ stdout }: CliProcess): number {
  const pid = jsonLines(stdout).find(({ msg }) => msg === 'blocks from now on')?.pid
  // Any pid differs from one that was not found.
  if (typeof pid !== 'number') throw new Error('No line names the process that blocks')
  return pid
}

function warnings({ stdout }: CliProcess) {
  return jsonLines(stdout).filter(({ msg }) => String(msg).includes('event loop was blocked'))
}

/** How many runs have not ended. */
async function open(sync: ClerkSync): Promise<number> {
  const rows = await sync.database
    .selectFrom('handler_runs')
    .select('event_id')
    .where('status', 'in', ['pending', 'retrying', 'running'])
    .execute()
  return rows.length
}
