import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgSchema, text } from 'drizzle-orm/pg-core'
import { drizzle as drizzleOnPglite } from 'drizzle-orm/pglite'
import { sql } from 'kysely'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type HandlerContext, type HandlerTransaction, on } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

interface Notes {
  notes: { user_id: string; attempt: number }
}

let made = 0

describeEachDatabase('the transaction of a handler', (database) => {
  async function writesOf(
    write: (context: HandlerContext<'user.created'>, schema: string) => Promise<unknown>,
  ) {
    const { schema } = await database.location()
    const sync = await database.open()
    onTestFinished(() => sync.close({ handlerGraceMs: 100 }))
    await sql
      .raw(`create table if not exists "${schema}".notes (user_id text, attempt integer)`)
      .execute(sync.database)
    const id = `user_tx${made++}`
    const handle = async (context: HandlerContext<'user.created'>) => {
      await write(context, schema)
      if (context.attempt === 1) throw new Error('after it has written')
    }
    sync.on('user.created', handle, { name: `tx-${made}`, retries: [0.05] })
    await sync.work()
    await deliver(sync, eventOf('user.created', { id }))
    await vi.waitFor(
      async () =>
        expect(await sync.handlers.count({ statuses: ['succeeded'], handlers: [`tx-${made}`] })).toBe(1),
      { timeout: 20_000 },
    )
    const { rows } = await sql<
      Notes['notes']
    >`select user_id, attempt from ${sql.id(schema, 'notes')} where user_id = ${id}`.execute(sync.database)
    return rows.map(({ attempt }) => attempt)
  }

  it('takes statements as a client of pg', async () => {
    const write = ({ event, attempt, tx }: HandlerContext<'user.created'>, schema: string) =>
      tx.query({ text: `insert into "${schema}".notes values ($1, $2)`, values: [event.data.id, attempt] })
    expect(await writesOf(write)).toEqual([2])
  })

  it('takes queries of Kysely', async () => {
    const write = async ({ event, attempt, tx }: HandlerContext<'user.created'>, schema: string) => {
      const notes = tx.kysely<Notes>().withSchema(schema)
      await notes.insertInto('notes').values({ user_id: event.data.id, attempt: 0 }).execute()
      const { numUpdatedRows } = await notes
        .updateTable('notes')
        .set({ attempt })
        .where('user_id', '=', event.data.id)
        .executeTakeFirstOrThrow()
      expect(Number(numUpdatedRows)).toBe(1)
    }
    expect(await writesOf(write)).toEqual([2])
  })

  it('takes queries of Drizzle', async () => {
    const write = async ({ event, attempt, tx }: HandlerContext<'user.created'>, schema: string) => {
      const notes = pgSchema(schema).table('notes', { user_id: text(), attempt: integer() })
      const db = drizzleOn(tx)
      await db.insert(notes).values({ user_id: event.data.id, attempt })
      const found = await db.select().from(notes).where(eq(notes.user_id, event.data.id))
      expect(found).toEqual([{ user_id: event.data.id, attempt }])
    }
    expect(await writesOf(write)).toEqual([2])
  })

  it('holds transactions of Kysely inside it: what they wrote goes with the handler’s own', async () => {
    const write = async ({ event, attempt, tx }: HandlerContext<'user.created'>, schema: string) => {
      const notes = tx.kysely<Notes>().withSchema(schema)
      const note = (trx: typeof notes, at: number) =>
        trx.insertInto('notes').values({ user_id: event.data.id, attempt: at }).execute()
      await notes.transaction().execute((trx) => note(trx, attempt))
      const failing = notes.transaction().execute(async (trx) => {
        await note(trx, 99)
        throw new Error('only this one')
      })
      await expect(failing).rejects.toThrow('only this one')
      await notes.transaction().execute((trx) => note(trx, attempt + 10))
    }
    expect((await writesOf(write)).sort()).toEqual([12, 2])
  })

  it('holds transactions of Drizzle inside it', async () => {
    if (database.name === 'PGlite') return
    const write = async ({ event, attempt, tx }: HandlerContext<'user.created'>, schema: string) => {
      const notes = pgSchema(schema).table('notes', { user_id: text(), attempt: integer() })
      const db = drizzle({ client: tx as never })
      await db.transaction(async (inner) => {
        await inner.insert(notes).values({ user_id: event.data.id, attempt })
        await inner.transaction(async (innermost) => {
          await innermost.insert(notes).values({ user_id: event.data.id, attempt: attempt + 10 })
        })
      })
    }
    expect((await writesOf(write)).sort()).toEqual([12, 2])
  })

  it.each(['commit', 'ROLLBACK', 'end;'])('is not ended by %s', async (command) => {
    const write = async ({ event, attempt, tx }: HandlerContext<'user.created'>, schema: string) => {
      await tx.query(`insert into "${schema}".notes values ($1, $2)`, [event.data.id, attempt])
      await expect(tx.query(command)).rejects.toMatchObject({ code: 'transaction_not_yours' })
    }
    expect(await writesOf(write)).toEqual([2])
  })

  const drizzleOn = (tx: HandlerTransaction) =>
    database.name === 'PGlite' ? drizzleOnPglite({ client: tx as never }) : drizzle({ client: tx as never })
})

it('narrows events, rows and patterns by their types', () => {
  on(
    'user.created',
    ({ event, row }) => {
      const name: string | null | undefined = event.data.first_name
      return [name, row?.primary_email_address]
    },
    { name: 'typed-one' },
  )
  on(
    'organization.*',
    ({ event, row }) => {
      if (event.type === 'organization.created') return event.data.slug
      return row?.members_count
    },
    { name: 'typed-kind' },
  )
  on(
    ['user.created', 'session.created'],
    ({ event }) => {
      if (event.type === 'session.created') return event.data.client_id
      // @ts-expect-error a user has none
      return event.data.client_id.length
    },
    { name: 'typed-two' },
  )
  // @ts-expect-error there is no such event
  expect(() => on('user.create', () => undefined, { name: 'typed-wrong' })).toThrow('user.created')
  // @ts-expect-error there is no such option
  on('user.created', () => undefined, { name: 'typed-option', retry: 3 })
})
