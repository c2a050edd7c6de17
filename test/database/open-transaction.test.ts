import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { IN_MEMORY, openEmbedded } from '../../src/database/embedded.ts'
import { beginOnPGlite } from '../../src/database/open-transaction.ts'

const opened = openEmbedded(IN_MEMORY)
afterAll(async () => (await opened).close())

it('leaves a transaction alone that is idle for longer than its limit, because PGlite would never come back', async () => {
  const { pglite } = await opened
  const { client, rollback } = await beginOnPGlite(pglite, 50)
  onTestFinished(rollback)
  // Asserted before the wait: with a limit, the next statement would hang this process.
  expect((await client.query('show idle_in_transaction_session_timeout')).rows).toEqual([
    { idle_in_transaction_session_timeout: '0' },
  ])
  await sleep(200)
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await rollback()
  expect((await pglite.query('select 2 as two')).rows).toEqual([{ two: 2 }])
})
