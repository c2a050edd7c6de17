/** docs/backup.md: a dump is restored into a fresh database, and the documented commands make it equal to Clerk. */

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { expect, inject, it, onTestFinished, vi } from 'vitest'
import { type ClerkEvent, type ClerkSync, createClerkSync, type EventType } from '../../src/index.ts'
import { createSimulatedClerk, type SimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { runCli } from '../support/cli.ts'
import { SECRET, silent } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { describeWithInstalledPostgres } from '../support/postgres.ts'
import { untilAsked, wrongTables } from './scenes.ts'

const run = promisify(execFile)

interface Message {
  readonly id: string
  readonly event: ClerkEvent
}

describeWithInstalledPostgres('after a restore', (binaries) => {
  /** Fresh databases of the tests' server. */
  async function databases(count: number): Promise<URL[]> {
    const server = inject('postgresUrl') as string
    const admin = new pg.Client({ connectionString: server })
    await admin.connect()
    const names = Array.from({ length: count }, () => `restore_${randomBytes(6).toString('hex')}`)
    for (const name of names) await admin.query(`create database ${name}`)
    onTestFinished(async () => {
      for (const name of names) await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    })
    return names.map((name) => new URL(`/${name}`, server))
  }

  function open(database: string, api: { url: string; secretKey: string }): ClerkSync {
    const sync = createClerkSync({
      signingSecret: SECRET,
      log: silent,
      database,
      secretKey: api.secretKey,
      apiUrl: api.url,
      apiRateLimit: Number.POSITIVE_INFINITY,
    })
    sync.on(
      'user.created',
      async ({ event, tx }) => void (await tx.query('insert into effects values ($1)', [event.data.id])),
      { name: 'effect' },
    )
    onTestFinished(() => sync.close())
    return sync
  }

  /** Something happens at Clerk, and its events are delivered. */
  async function live(clerk: SimulatedClerk, sync: ClerkSync, actions: number): Promise<Message[]> {
    const messages: Message[] = []
    for (let nr = 0; nr < actions; nr++) {
      for (const event of nr % 3 === 0 ? clerk.act('createUser') : clerk.act()) {
        const id = `msg_${randomBytes(8).toString('hex')}`
        await deliver(sync, event, { id })
        messages.push({ id, event })
      }
    }
    return messages
  }

  async function command(words: readonly string[], env: Record<string, string>, cwd: string): Promise<void> {
    const ended = await runCli(words, { cwd, env })
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
  }

  it('migrate and reconcile make the tables Clerk’s, and a replay brings back the ledger and its effects', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-restore-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const [lost, fresh] = (await databases(2)) as [URL, URL]
    const clerk = createSimulatedClerk({ seed: 11 })
    const api = await startBackendApi(clerk, { rateLimit: null })
    onTestFinished(() => api.close())
    const dump = join(folder, 'clerk.dump')

    const before = open(lost.href, api)
    await before.migrate()
    await query(lost.href, 'create table effects (user_id text)')
    const dumped = await live(clerk, before, 60)
    await before.drain()
    await before.backfill()
    await run(join(binaries, 'pg_dump'), ['--format=custom', `--file=${dump}`, lost.href])
    const undumped = await live(clerk, before, 120)
    await before.drain()
    await before.close()

    await run(join(binaries, 'pg_restore'), [`--dbname=${fresh.href}`, '--exit-on-error', dump])
    const env = { DATABASE_URL: fresh.href, CLERK_SECRET_KEY: api.secretKey, CLERK_API_URL: api.url }
    await command(['migrate'], env, folder)
    const after = open(fresh.href, api)
    await after.check()
    expect(await wrongTables(after, clerk)).not.toEqual([])
    clerk.advanceTo(clerk.now + 5_000)
    await command(['reconcile', '--full', '--restart'], env, folder)
    expect(await wrongTables(after, clerk)).toEqual([])

    // As Svix replays them: in their order, each under its own id; some of them are in the dump.
    for (const { id, event } of [...dumped.slice(-20), ...undumped]) await deliver(after, event, { id })
    await untilAsked(after)
    await after.drain({ maxSeconds: 60 })
    expect(await wrongTables(after, clerk)).toEqual([])
    const { rows: events } = await query(fresh.href, `select id from clerk.events where source = 'webhook'`)
    expect(events.map(({ id }) => id).sort()).toEqual([...dumped, ...undumped].map(({ id }) => id).sort())
    const created = idsOf('user.created', [...dumped, ...undumped])
    await vi.waitFor(async () => {
      const { rows } = await query(fresh.href, 'select user_id as id from effects')
      expect(rows.map(({ id }) => id).sort()).toEqual(created)
    })
    expect((await after.reconcile({ full: true, restart: true })).drift).toMatchObject({ total: 0 })
  }, 120_000)
})

function idsOf(type: EventType, messages: readonly Message[]): string[] {
  return messages
    .filter(({ event }) => event.type === type)
    .map(({ event }) => String((event.data as { id: string }).id))
    .sort()
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}
