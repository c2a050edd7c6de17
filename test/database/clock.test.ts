import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { AFTER_NOW } from '../../src/database/clock.ts'
import { describeEachDatabase } from '../support/databases.ts'

interface Times {
  readonly stored: Date
  readonly after: Date
}

describeEachDatabase('a time after everything that was stored', (database) => {
  it('is later, in JavaScript too, than a time that was stored in the same moment and rounded up', async () => {
    const sync = await database.open()
    const reads = sql<Times>`select clock_timestamp()::timestamptz(3) as stored, ${sql.raw(AFTER_NOW)} as after`
    for (let reading = 0; reading < 200; reading++) {
      const { rows } = await reads.execute(sync.database)
      for (const { stored, after } of rows) expect(after.getTime()).toBeGreaterThan(stored.getTime())
    }
  })
})
