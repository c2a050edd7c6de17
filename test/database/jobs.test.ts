import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { JobStore } from '../../src/database/jobs.ts'
import type { ClerkSync } from '../../src/index.ts'
import { describeEachDatabase } from '../support/databases.ts'

const STATE = { checkpoint: { page: 3 }, progress: { done: 3 }, report: null }

describeEachDatabase('a job', (database) => {
  const storeOf = (sync: ClerkSync) => new JobStore(sync.database, sync.location.schema)

  async function statusOf(sync: ClerkSync, id: string) {
    return sync.database.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  }

  it('keeps what it is told, and its end', async () => {
    const sync = await database.open()
    const job = await storeOf(sync).begin({ kind: 'a', scope: { all: true } })
    expect(job.resumed).toBeNull()
    await job.save(STATE)
    expect(await statusOf(sync, job.id)).toMatchObject({ status: 'running', scope: { all: true }, ...STATE })
    await job.end('failed', STATE, new Error('no more paper'))
    expect(await statusOf(sync, job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'internal_error', message: 'no more paper' },
      finished_at: expect.any(Date),
    })
  })

  it('goes on where an earlier one of the same scope was stopped, unless it came to its end', async () => {
    const sync = await database.open()
    const store = storeOf(sync)
    const stopped = await store.begin({ kind: 'b', scope: { users: 1 } })
    await stopped.end('aborted', STATE)
    const other = await store.begin({ kind: 'b', scope: { users: 2 } })
    expect(other.resumed).toBeNull()
    await other.end('complete', STATE)
    const resumed = await store.begin({ kind: 'b', scope: { users: 1 } })
    expect([resumed.id, resumed.resumed]).toEqual([stopped.id, STATE])
    await resumed.end('complete', STATE)
    const next = await store.begin({ kind: 'b', scope: { users: 1 } })
    expect(next.resumed).toBeNull()
    await next.end('aborted', STATE)
    const anew = await store.begin({ kind: 'b', scope: { users: 1 }, isFresh: true })
    expect(anew.resumed).toBeNull()
    await anew.end('complete', STATE)
  })

  it('is one of its kind at a time, however many begin', async () => {
    const sync = await database.open()
    const begun = await Promise.allSettled(
      Array.from({ length: 6 }, () => storeOf(sync).begin({ kind: 'c', scope: {} })),
    )
    const won = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(won).toHaveLength(1)
    for (const each of begun) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'job_running' })
    }
    const another = await storeOf(sync).begin({ kind: 'd', scope: {} })
    await another.end('complete', STATE)
    await won[0]?.end('complete', STATE)
  })

  it('says why it was told not to wait for the one under way', async () => {
    const sync = await database.open()
    const other = await storeOf(sync).begin({ kind: 'g', scope: {} })
    const stopping = new AbortController()
    const begun = storeOf(sync).begin({ kind: 'g', scope: {}, signal: stopping.signal })
    setTimeout(() => stopping.abort(new Error('enough')), 100)
    await expect(begun).rejects.toThrow('enough')
    await other.end('complete', STATE)
  })

  it('is taken over when nobody was heard of for ten seconds, and whoever comes back stops', async () => {
    const sync = await database.open()
    const zombie = await storeOf(sync).begin({ kind: 'e', scope: {} })
    await zombie.save(STATE)
    await sql`update ${sql.table(`${sync.location.schema}.jobs`)} set lease_until = now() - interval '1 second' where id = ${zombie.id}`.execute(
      sync.database,
    )
    const heir = await storeOf(sync).begin({ kind: 'e', scope: {} })
    expect([heir.id, heir.resumed]).toEqual([zombie.id, STATE])
    await expect(zombie.save(STATE)).rejects.toMatchObject({ code: 'job_lost' })
    expect(zombie.lost.aborted).toBe(true)
    await zombie.end('failed', STATE)
    expect(await statusOf(sync, heir.id)).toMatchObject({ status: 'running', runs: 2 })
    await heir.end('complete', STATE)
  })

  it('stays alive without being told anything', async () => {
    const sync = await database.open()
    const job = await storeOf(sync).begin({ kind: 'f', scope: {} })
    const before = await statusOf(sync, job.id)
    await sleep(3_200)
    const after = await statusOf(sync, job.id)
    expect(after.lease_until?.getTime()).toBeGreaterThan(Number(before.lease_until?.getTime()))
    await job.end('complete', STATE)
  })
})
