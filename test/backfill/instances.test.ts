/** Two Clerk instances in one schema, each read with its own key: what was read of one says nothing of the other. */

import { beforeEach, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import { type BackendApi, createSimulatedClerk, type SimulatedClerk } from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { emptyAll, scenes } from './scenes.ts'

describeEachDatabase('beside another Clerk instance', (database) => {
  const { serve, open } = scenes(database)
  let clerk: SimulatedClerk
  let api: BackendApi
  let sync: ClerkSync
  let other: ClerkSync

  beforeEach(async () => {
    clerk = populate(91)
    api = await serve(clerk)
    sync = await open(api)
    other = await open(await serve(populate(92)))
    await emptyAll(sync)
  })

  function populate(seed: number): SimulatedClerk {
    const made = createSimulatedClerk({ seed })
    for (let users = 0; users < 5; users++) made.act('createUser')
    return made
  }

  it('a backfill goes on with its own, and with no other', async () => {
    const stopping = new AbortController()
    const onProgress = () => stopping.abort(new Error('enough'))
    await expect(other.backfill({ signal: stopping.signal, onProgress })).rejects.toThrow('enough')
    const result = await sync.backfill()
    expect(result).toMatchObject({ status: 'complete', isResumed: false })
    expect(result.resources.users).toMatchObject({ written: clerk.resources('users').size })
    expect(await other.backfill()).toMatchObject({ status: 'complete', isResumed: true })
  })

  it('a reconcile of what was never read tells handlers nothing', async () => {
    await other.backfill()
    const heard: string[] = []
    const telling = await open(api)
    telling.on('user.*', ({ event }) => heard.push(event.type), { name: 'instance-listener' })
    await telling.reconcile()
    await telling.drain()
    expect(heard).toEqual([])
    clerk.act('createUser')
    clerk.advanceTo(clerk.now + 5_000)
    await telling.reconcile()
    await telling.drain()
    expect(heard).toEqual(['user.created'])
  })
})
