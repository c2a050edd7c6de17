/** How runs end when the database, the worker or a job is disturbed just then. */

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { runStatements } from '../../src/handlers/statements.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase, describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

const PATIENT = { timeout: 20_000, interval: 20 }

let made = 0

function userEvent() {
  return eventOf('user.created', { id: `user_ends${made++}` })
}

async function statusesOf({ database }: ClerkSync, handler: string): Promise<string[]> {
  const rows = await database
    .selectFrom('handler_runs')
    .select('status')
    .where('handler', '=', handler)
    .execute()
  return rows.map(({ status }) => status)
}

describeEachDatabase('the end of a run', (database) => {
  async function opened() {
    const sync = await database.open()
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    return sync
  }

  /** Lets the database refuse the next few changes of runs to a status. */
  async function refuse(sync: ClerkSync, status: string, times: number): Promise<void> {
    const { schema } = await database.location()
    const [sequence, refusing] = [sql.id(schema, 'refused'), sql.id(schema, 'refuse')]
    const statements = [
      sql`create sequence if not exists ${sequence}`,
      sql`select setval(${sql.lit(`"${schema}".refused`)}, 1, false)`,
      sql`create or replace function ${refusing}() returns trigger language plpgsql as $$ begin
        if new.status = ${sql.lit(status)} and nextval(${sql.lit(`"${schema}".refused`)}) <= ${sql.lit(times)} then
          raise exception 'not now' using errcode = '40001';
        end if;
        return new;
      end $$`,
      sql`create or replace trigger refuse before update on ${sql.id(schema, 'handler_runs')}
        for each row execute function ${refusing}()`,
    ]
    for (const statement of statements) await statement.execute(sync.database)
    onTestFinished(async () => {
      await sql`drop trigger refuse on ${sql.id(schema, 'handler_runs')}`.execute(sync.database)
    })
  }

  it('is written down when the database can, and the handler does not run again', async () => {
    const sync = await opened()
    const name = `refused-${made++}`
    let calls = 0
    sync.on('user.created', () => calls++, { name, retries: [] })
    await refuse(sync, 'succeeded', 3)
    await sync.work()
    await deliver(sync, userEvent())
    await vi.waitFor(async () => expect(await statusesOf(sync, name)).toEqual(['succeeded']), PATIENT)
    expect(calls).toBe(1)
  })

  it('of a drain that is closed gives back what it was at', async () => {
    const sync = await opened()
    const name = `closed-${made++}`
    const started = Promise.withResolvers<void>()
    const handle = async () => {
      started.resolve()
      await sleep(60_000, undefined, { ref: false })
    }
    sync.on('user.created', handle, { name })
    await deliver(sync, userEvent())
    const draining = sync.drain({ maxSeconds: 60 })
    await started.promise
    await sync.close({ handlerGraceMs: 100 })
    await draining
    const other = await opened()
    expect(await statusesOf(other, name)).toEqual(['pending'])
    await expect(sync.drain()).rejects.toMatchObject({ code: 'shutting_down' })
  })

  it('of a job that fails in the middle is an end, and another can begin', async () => {
    const sync = await opened()
    const name = `job-${made++}`
    const fail = () => {
      throw new Error('always')
    }
    sync.on('user.created', fail, { name, retries: [] })
    await deliver(sync, userEvent())
    await sync.drain()
    expect(await statusesOf(sync, name)).toEqual(['dead'])
    await refuse(sync, 'pending', 1)
    const filter = { handlers: [name] }
    await expect(sync.handlers.retry(filter)).rejects.toThrow('not now')
    expect(await sync.handlers.retry(filter)).toMatchObject({ status: 'complete', changed: 1 })
    const jobs = await sync.database.selectFrom('jobs').select('status').where('kind', '=', 'retry').execute()
    expect(jobs.map(({ status }) => status).sort()).toEqual(['complete', 'failed'])
  })

  it('forgets the secrets of an event with the last of its runs, or else with the maintenance', async () => {
    const sync = await opened()
    sync.on('sms.created', () => undefined, { name: `secret-${made++}` })
    const { svixId } = await deliver(sync, eventOf('sms.created', { id: `sms_ends${made++}` }))
    const secret = async () =>
      (
        await sync.database
          .selectFrom('events')
          .select('secret_body')
          .where('id', '=', svixId)
          .executeTakeFirstOrThrow()
      ).secret_body
    const body = await secret()
    expect(body).not.toBeNull()
    await sync.drain()
    expect(await secret()).toBeNull()
    const leave = (received_at: Date) =>
      sync.database
        .updateTable('events')
        .set({ secret_body: body as never, received_at })
        .where('id', '=', svixId)
        .execute()
    // A drain whose database was disturbed, above, may have kept the lease.
    await sync.database
      .updateTable('maintenance')
      .set({ lease_until: new Date(0) })
      .execute()
    await leave(new Date())
    await sync.maintain()
    expect(await secret()).not.toBeNull()
    await leave(new Date(Date.now() - 3_600_000))
    await sync.maintain()
    expect(await secret()).toBeNull()
  })
})

describeWithPostgres('a heartbeat', (url) => {
  const database = postgresDatabase(url)

  it('does not wait for runs that are just being ended, and touches none', async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    const handler = `beating-${made++}`
    sync.on('user.created', () => undefined, { name: handler })
    const { svixId } = await deliver(sync, userEvent())
    const { renew, register, succeed } = runStatements(schema)
    const ending = new pg.Client(url)
    await ending.connect()
    onTestFinished(() => ending.end())
    await ending.query(register, ['ours', 20_000])
    await sync.database
      .updateTable('handler_runs')
      .set({ status: 'running', claim: 'ours', worker: 'ours' })
      .where('handler', '=', handler)
      .execute()
    await ending.query('begin')
    await ending.query(succeed, [['ours'], [svixId], [handler]])
    const beating = new pg.Client(url)
    await beating.connect()
    onTestFinished(() => beating.end())
    await beating.query(`set lock_timeout = '5s'`)
    const { rows } = await beating.query<{ id: string }>(renew, ['ours', 20_000])
    expect(rows).toEqual([{ id: 'ours' }])
    await ending.query('rollback')
  })
})
