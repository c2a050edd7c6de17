/** A page whose rows are being delivered collides with the deliveries, again and again: the larger, the surer. */

import { sql } from 'kysely'
import { beforeEach, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

const USERS = 300
/** More rows at once than this always collide. */
const LARGEST = 100

describeEachDatabase('beside deliveries of the same rows', (database) => {
  const { serve, open } = scenes(database)
  let clerk: SimulatedClerk
  let sync: ClerkSync

  beforeEach(async () => {
    clerk = createSimulatedClerk({ seed: 91 })
    for (let made = 0; made < USERS; made++) clerk.act('createUser')
    sync = await open(await serve(clerk))
    await emptyAll(sync)
    const { schema } = await database.location()
    const [users, collide] = [sql.id(schema, 'users'), sql.id(schema, 'collide')]
    const statements = [
      sql`create sequence if not exists ${sql.id(schema, 'collisions')}`,
      sql`select setval(${sql.lit(`"${schema}".collisions`)}, 1)`,
      sql`create or replace function ${collide}() returns trigger language plpgsql as $$ begin
        if (select count(*) from written) > ${sql.lit(LARGEST)} then
          perform nextval(${sql.lit(`"${schema}".collisions`)});
          raise exception 'two transactions met' using errcode = '40001';
        end if;
        return null;
      end $$`,
      sql`create or replace trigger collide_inserting after insert on ${users}
        referencing new table as written for each statement execute function ${collide}()`,
      sql`create or replace trigger collide_updating after update on ${users}
        referencing new table as written for each statement execute function ${collide}()`,
    ]
    for (const statement of statements) await statement.execute(sync.database)
  })

  async function collisions(): Promise<number> {
    const sequence = sql.id((await database.location()).schema, 'collisions')
    const { rows } = await sql<{ last_value: string }>`select last_value from ${sequence}`.execute(
      sync.database,
    )
    return Number(rows[0]?.last_value) - 1
  }

  it.each(['backfill', 'reconcile'] as const)('a %s writes what collides in smaller parts', async (kind) => {
    const result = await sync[kind]({ restart: true })
    expect(result.status).toBe('complete')
    expect(result.resources.users).toMatchObject({ listed: USERS, written: USERS, failed: 0 })
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect(await collisions()).toBeGreaterThan(1)
  })

  it('a reconcile deletes in smaller parts too', async () => {
    await sync.backfill({ restart: true })
    const before = await collisions()
    const gone = [...clerk.resources('users').keys()].slice(0, USERS / 2)
    for (const id of gone) clerk.act('deleteUser', id)
    clerk.advanceTo(clerk.now + 5_000)
    const result = await sync.reconcile({ full: true, maxDeletions: USERS })
    expect(result.status).toBe('complete')
    expect(result.resources.users).toMatchObject({ deleted: gone.length })
    expect(await wrongTables(sync, clerk)).toEqual([])
    expect(await collisions()).toBeGreaterThan(before)
  })
})
