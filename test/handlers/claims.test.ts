/** Which commits of a worker wait for the disk. */

import { sql } from 'kysely'
import { expect, it, vi } from 'vitest'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

describeWithPostgres('a run', (url) => {
  const database = postgresDatabase(url)

  it('is claimed without a wait for the disk if it is unordered; an ordered claim and every end wait for it', async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    for (const statement of [
      `create table "${schema}".commits (handler text, status text, setting text)`,
      `create function "${schema}".note() returns trigger language plpgsql as $$ begin
         insert into "${schema}".commits values (new.handler, new.status, current_setting('synchronous_commit'));
         return new;
       end $$`,
      `create trigger note after update on "${schema}".handler_runs for each row execute function "${schema}".note()`,
    ])
      await sql.raw(statement).execute(sync.database)
    sync.on('user.created', () => undefined, { name: 'unordered' })
    sync.on('user.created', () => undefined, { name: 'ordered', ordered: true })
    await sync.work()
    await deliver(sync, eventOf('user.created', { id: 'user_claimed' }))
    const noted = async () =>
      (
        await sql<object>`select * from ${sql.id(schema, 'commits')} order by handler, status`.execute(
          sync.database,
        )
      ).rows
    const expected = [
      { handler: 'ordered', status: 'running', setting: 'on' },
      { handler: 'ordered', status: 'succeeded', setting: 'on' },
      { handler: 'unordered', status: 'running', setting: 'off' },
      { handler: 'unordered', status: 'succeeded', setting: 'on' },
    ]
    await vi.waitFor(async () => expect(await noted()).toEqual(expected), { timeout: 10_000 })
    await sync.close()
  })
})
