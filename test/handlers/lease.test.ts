/** When a worker sets the runs of others free. */

import { afterEach, expect, it, vi } from 'vitest'
import { openDatabase } from '../../src/database/database.ts'
import { Lease } from '../../src/handlers/lease.ts'
import { runStatements } from '../../src/handlers/statements.ts'
import { describeWithPostgres, postgresDatabase } from '../support/databases.ts'
import { deliver, eventOf } from '../support/deliveries.ts'

afterEach(() => vi.useRealTimers())

describeWithPostgres('a worker', (url) => {
  const test = postgresDatabase(url)

  it('leaves others their runs for some seconds after the database was away, which it was for all of them', async () => {
    const sync = await test.open()
    sync.on('user.created', () => undefined, { name: 'left' })
    const { svixId } = await deliver(sync, eventOf('user.created', { id: 'user_left' }))
    await sync.database
      .insertInto('handler_workers')
      .values({ id: 'other', lease_until: new Date(0) })
      .execute()
    await sync.database
      .updateTable('handler_runs')
      .set({ status: 'running', attempts: 1, claim: 'other', worker: 'other', started_at: new Date() })
      .execute()

    const { schema } = await test.location()
    await using database = closing(openDatabase(url, schema, { maxConnections: 4 }))
    const statements = { ...runStatements(schema) }
    const lease = new Lease(database.bookkeeping, statements)
    await lease.hold()
    const { renew } = statements
    Object.assign(statements, { renew: 'select no_database' })
    await expect(lease.renew()).rejects.toThrow('no_database')
    Object.assign(statements, { renew })
    expect(await lease.renew()).toBeNull()
    expect(await lease.reap()).toEqual([])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11_000 })
    expect(await lease.reap()).toEqual([{ eventId: svixId, handler: 'left' }])
    await lease.end(true)
  })
})

function closing<Closable extends { close(): Promise<void> }>(
  closable: Closable,
): Closable & AsyncDisposable {
  return Object.assign(closable, { [Symbol.asyncDispose]: () => closable.close() })
}
