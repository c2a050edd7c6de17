/** What `privacy` leaves out or hashes is nowhere, whichever way it came; and what it does not name is as it was. */

import { expect, it } from 'vitest'
import { type ClerkSyncOptions, createClerkSync, on } from '../../src/index.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { scenes } from '../backfill/scenes.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliver } from '../support/deliveries.ts'
import { createPerson, dumpTables, valuesIn } from './person.ts'

const privacy: ClerkSyncOptions = {
  privacy: {
    users: {
      omit: ['phone_numbers', 'unsafe_metadata.ssn', 'external_accounts.label', 'last_name'],
      hash: ['primary_email_address', 'private_metadata.iban'],
    },
  },
  privacyKey: 'a key of the tests',
}

describeEachDatabase('less in the first place', (database) => {
  const { serve, open } = scenes(database)

  it('stores nothing of what is left out, and no more than a hash of what is hashed', async () => {
    const clerk = createSimulatedClerk({ seed: 21 })
    const person = createPerson(clerk)
    const heard: unknown[] = []
    const handler = on('user.*', async ({ event }) => void heard.push(event.data), { name: 'hear' })
    const sync = await open(await serve(clerk), { ...privacy, handlers: [handler] })
    // Other resources hold copies, each of which has rules of its own.
    const events = person.events.filter(({ type }) => /^(user|session)\.(created|updated|ended)/.test(type))
    for (const event of events) await deliver(sync, event)
    await sync.backfill({ resources: ['users'] })
    const { drift } = await sync.reconcile({ full: true, resources: ['users'] })
    await sync.replay({})
    await sync.drain({ maxSeconds: 20 })

    const data = clerk.resources('users').get(person.id) as unknown as Record<
      string,
      Record<string, unknown>[]
    >
    const gone = [
      String(data.last_name),
      String((data.unsafe_metadata as unknown as Record<string, string>).ssn),
      String((data.private_metadata as unknown as Record<string, string>).iban),
      ...(data.phone_numbers ?? []).map((each) => String(each.phone_number)),
      ...(data.email_addresses ?? []).map((each) => String(each.email_address)),
      String(data.external_accounts?.[0]?.label),
    ]
    expect(valuesIn(await dumpTables(sync), gone)).toEqual([])
    expect(JSON.stringify(heard)).not.toContain(gone[0])
    expect(heard).toHaveLength(2)
    expect(drift.resources.users?.kinds ?? {}).toEqual({})
    const row = await sync.database
      .selectFrom('users')
      .selectAll()
      .where('id', '=', person.id)
      .executeTakeFirstOrThrow()
    expect(row).toMatchObject({
      first_name: data.first_name,
      last_name: null,
      primary_phone_number: null,
      primary_email_address: expect.stringMatching(/^hmac-sha256:[\w-]{43}$/),
      unsafe_metadata: expect.not.objectContaining({ ssn: expect.anything() }),
    })
  })

  it('erases users some days after their deletion, if it is told to', async () => {
    const clerk = createSimulatedClerk({ seed: 22 })
    const person = createPerson(clerk)
    const sync = await open(await serve(clerk), { eraseAfterDays: 30 })
    for (const event of person.events) await deliver(sync, event)
    const deletion = (days: number) => ({
      type: 'user.deleted',
      object: 'event',
      timestamp: Date.now() - days * 86_400_000,
      data: { id: person.id, object: 'user', deleted: true },
    })
    await deliver(sync, deletion(29))
    await sync.maintain()
    const erasedAt = () =>
      sync.database.selectFrom('users').select('erased_at').where('id', '=', person.id).executeTakeFirst()
    expect(await erasedAt()).toEqual({ erased_at: null })
    await deliver(sync, deletion(31))
    await sync.maintain()
    expect(await erasedAt()).toEqual({ erased_at: expect.any(Date) })
    expect(valuesIn(await dumpTables(sync), person.values)).toEqual([])
  })
})

it.each([
  [{ user: { omit: ['first_name'] } }, 'did you mean users?'],
  [{ users: { omit: ['frist_name'] } }, 'did you mean first_name?'],
  [{ users: { omit: ['phone_numbers.phone_nubmer'] } }, 'did you mean phone_numbers.phone_number?'],
  [{ users: { omits: ['first_name'] } }, 'did you mean omit?'],
  [{ organization_memberships: { omit: ['user_id'] } }, 'without which'],
  [{ users: { hash: ['username'] } }, 'privacyKey is missing'],
])('refuses %j', (options, message) => {
  expect(() =>
    createClerkSync({ privacy: options as ClerkSyncOptions['privacy'], database: 'memory://' }),
  ).toThrow(message)
})
