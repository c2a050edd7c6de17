/** A page whose rows are being delivered collides with the deliveries, again and again: the larger, the surer. */

import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { emptyAll, scenes, wrongTables } from './scenes.ts'

const USERS = 300
/** More rows at once than this always collide. */
const LARGEST = 100

describeEachDatabase('beside deliveries of what is missing', (database) => {
  const { serve, open } = scenes(database)

  it.each(['backfill', 'reconcile'] as const)('a %s writes what collides in smaller parts', async (kind) => {
    const clerk = createSimulatedClerk({ seed: 91 })
    for (let made = 0; made < USERS; made++) clerk.act('createUser')
    const sync = await open(await serve(clerk))
    await emptyAll(sync)
    const { schema } = await database.location()
    const collisions = sql.id(schema, 'collisions')
    await sql`create sequence if not exists ${collisions}`.execute(sync.database)
    await sql`
      create or replace function ${sql.id(schema, 'collide')}() returns trigger language plpgsql as $$ begin
        if (select count(*) from written) > ${sql.lit(LARGEST)} then
          perform nextval(${sql.lit(`"${schema}".collisions`)});
          raise exception 'two transactions met' using errcode = '40001';
        end if;
        return null;
      end $$`.execute(sync.database)
    await sql`
      create or replace trigger collide after insert on ${sql.id(schema, 'users')}
      referencing new table as written for each statement execute function ${sql.id(schema, 'collide')}()`.execute(
      sync.database,
    )

    const result = await sync[kind]({ restart: true })
    expect(result.status).toBe('complete')
    expect(result.resources.users).toMatchObject({ listed: USERS, written: USERS, failed: 0 })
    expect(await wrongTables(sync, clerk)).toEqual([])
    const { rows } = await sql<{ last_value: string }>`select last_value from ${collisions}`.execute(
      sync.database,
    )
    expect(Number(rows[0]?.last_value)).toBeGreaterThan(1)
  })
})
