import { expect, it } from 'vitest'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { empty } from '../testing/histories.ts'
import { scenes, wrongTables } from './scenes.ts'

describeEachDatabase('a backfill', (database) => {
  const { serve, open } = scenes(database)

  it('makes empty tables equal Clerk, and changes nothing the second time', async () => {
    const clerk = createSimulatedClerk({ seed: 31 })
    for (let action = 0; action < 300; action++) clerk.act()
    const api = await serve(clerk)
    const sync = await open(api)
    await empty(sync)
    const first = await sync.backfill()
    expect(first.status, JSON.stringify(first.resources)).toBe('complete')
    expect(await wrongTables(sync, clerk)).toEqual([])
    const { users } = first.resources
    expect(users).toMatchObject({ expected: clerk.resources('users').size, failed: 0, unchanged: 0 })
    expect(users?.written).toBe(clerk.resources('users').size)

    const second = await sync.backfill()
    expect(Object.values(second.resources).map(({ written }) => written)).toEqual(
      Object.values(second.resources).map(() => 0),
    )
  })
})
