/** Two Clerk instances in one schema, each read with its own key: what was read of one says nothing of the other. */

import { beforeEach, expect, it } from 'vitest'
import type { ClerkSync } from '../../src/index.ts'
import {
  type BackendApi,
  createSigningSecret,
  createSimulatedClerk,
  type SimulatedClerk,
} from '../../src/testing/index.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver, sign } from '../support/deliveries.ts'
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
    const notifying = await open(api)
    notifying.on('user.*', ({ event }) => heard.push(event.type), { name: 'instance-listener' })
    await notifying.reconcile()
    await notifying.drain()
    expect(heard).toEqual([])
    clerk.act('createUser')
    clerk.advanceTo(clerk.now + 5_000)
    await notifying.reconcile()
    await notifying.drain()
    expect(heard).toEqual(['user.created'])
  })

  it('takes what each signs with its own secret, reconciles each alone, and applies nothing of a wrong secret', async () => {
    const [a, b] = [populate(93), populate(94)]
    const [secretA, secretB] = [createSigningSecret(), createSigningSecret()]
    const signingSecret = [
      { secret: secretA, instanceId: a.instanceId },
      { secret: secretB, instanceId: b.instanceId },
    ]
    // One process takes the deliveries of both; one of each reads with its secret key.
    const receiver = await database.open({ signingSecret })
    const readerA = await open(await serve(a), { signingSecret })
    const readerB = await open(await serve(b), { signingSecret })
    await readerA.backfill()
    await readerB.backfill()

    const mine = a.act('createUser')
    for (const event of mine)
      expect(await deliver(receiver, event, { secret: secretA })).toMatchObject({ outcome: 'applied' })
    const forged = a.act('createUser')[0]
    const { headers, body } = sign(forged, { secret: secretB })
    const request = new Request('http://localhost/', { method: 'POST', headers, body })
    const answer = await receiver.fetch(request)
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'secret_of_other_instance' }])
    expect(await find(receiver, String(forged?.data.id))).toBeUndefined()
    expect(
      await receiver.database
        .selectFrom('events')
        .select('id')
        .where('id', '=', headers['svix-id'] ?? '')
        .execute(),
    ).toEqual([])
    await receiver.close()
    const [refusal] = await readerA.database.selectFrom('refusals').selectAll().execute()
    expect(refusal).toMatchObject({
      code: 'secret_of_other_instance',
      requests: 1,
      message: expect.stringContaining(`the secret of ${b.instanceId} signed an event of ${a.instanceId}`),
    })

    // Nobody is told of these deletions: each reconcile finds its own, and lets the other's rows be.
    const [goneA, goneB] = [a, b].map((clerk) => String(clerk.act('deleteUser')[0]?.data.id))
    expect(await readerA.reconcile({ full: true })).toMatchObject({ status: 'complete' })
    expect(await deletedIds(readerA)).toEqual([goneA])
    expect(await readerB.reconcile({ full: true })).toMatchObject({ status: 'complete' })
    expect(await deletedIds(readerA)).toEqual([goneA, goneB].sort())
    const live = await readerA.database
      .selectFrom('users')
      .select(['id', 'instance_id'])
      .where('deleted_at', 'is', null)
      .execute()
    const expected = [a, b].flatMap((clerk) =>
      [...clerk.resources('users').keys()].map((id) => ({ id, instance_id: clerk.instanceId })),
    )
    expect(byId(live)).toEqual(byId(expected))
  })

  it('ensures a row as one of the instance of its key, which no other reconcile deletes', async () => {
    const [a, b] = [populate(95), populate(96)]
    const instanceId = [a.instanceId, b.instanceId]
    const [apiA, apiB] = [await serve(a), await serve(b)]
    const [id] = a.resources('users').keys()
    const ensured = await (await open(apiA, { instanceId })).users.ensure(String(id))
    expect(ensured).toMatchObject({ id, instance_id: a.instanceId })
    await (await open(apiB, { instanceId })).reconcile({ full: true })
    expect(await find(sync, String(id))).toMatchObject({ deleted_at: null })
  })

  it('ensures nothing with the key of an instance that is not one of those accepted here', async () => {
    const [a, b] = [populate(97), populate(98)]
    const wrong = await open(await serve(b), { instanceId: a.instanceId })
    const [id] = b.resources('users').keys()
    await expect(wrong.users.ensure(String(id))).rejects.toMatchObject({
      code: 'api_wrong_instance',
      message: expect.stringContaining(`it is of ${b.instanceId}, expected ${a.instanceId}`),
    })
    expect(await find(sync, String(id))).toBeUndefined()
  })

  const find = (from: ClerkSync, id: string) =>
    from.database.selectFrom('users').select(['id', 'deleted_at']).where('id', '=', id).executeTakeFirst()

  async function deletedIds(from: ClerkSync): Promise<string[]> {
    const rows = await from.database
      .selectFrom('users')
      .select('id')
      .where('deleted_at', 'is not', null)
      .execute()
    return rows.map(({ id }) => id).sort()
  }

  function byId<Row extends { readonly id: string }>(rows: readonly Row[]): Row[] {
    return rows.toSorted((one, two) => one.id.localeCompare(two.id))
  }
})
