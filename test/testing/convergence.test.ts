/** The promise: whatever the order of arrival and however often, the tables end as Clerk is. */

import { beforeAll, expect, it } from 'vitest'
import type { ClerkEvent, ClerkSync } from '../../src/index.ts'
import { compareTables } from '../../src/testing/index.ts'
import { Random } from '../../src/testing/random.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { deliverAll, empty, liveThrough, signAll } from './histories.ts'

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1)
const DUPLICATES = 0.3

describeEachDatabase('the tables equal Clerk', (database) => {
  let servers: ClerkSync[]

  beforeAll(async () => {
    servers = [await database.open(), await database.open()]
  })

  it.each(SEEDS)('after a shuffled history with duplicates, seed %i', async (seed) => {
    const [server] = servers as [ClerkSync]
    const random = new Random(seed, 1)
    const { clerk, events } = liveThrough(seed, 100)
    const deliveries = signAll(events)
    const again = deliveries.filter(() => random.chance(DUPLICATES))
    await empty(server)

    const receipts = await deliverAll(servers, random.shuffle([...deliveries, ...again]), random)

    const outcomes = Map.groupBy(receipts, ({ outcome }) => outcome)
    expect([...outcomes.keys()].sort()).toEqual(['applied', 'duplicate', 'stale'])
    expect(outcomes.get('duplicate')).toHaveLength(again.length)
    const comparisons = await compareTables(server.database, clerk)
    expect(comparisons.filter(({ differenceCount }) => differenceCount > 0)).toEqual([])
    expect(comparisons.reduce((rows, { actual }) => rows + actual, 0)).toBeGreaterThan(40)
  })

  it('after they were emptied and rebuilt from the ledger', async () => {
    const [server] = servers as [ClerkSync]
    const { clerk, events } = liveThrough(77, 100)
    await empty(server)
    await deliverAll(servers, signAll(new Random(77).shuffle(events)), new Random(77))
    await empty(server, { keepEvents: true })
    expect(await server.replay({})).toMatchObject({ matched: events.length, failed: 0 })
    const comparisons = await compareTables(server.database, clerk)
    expect(comparisons.filter(({ differenceCount }) => differenceCount > 0)).toEqual([])
  })

  it('without the secrets that Clerk sent', async () => {
    const [server] = servers as [ClerkSync]
    const { events } = liveThrough(99, 400)
    await empty(server)
    await deliverAll(servers, signAll(events), new Random(99))
    const secrets = secretsIn(events)
    expect(secrets.length).toBeGreaterThan(20)
    const stored = new Set((await everythingIn(server)).match(/\d+/g))
    expect(secrets.filter((secret) => stored.has(secret))).toEqual([])
  })
})

/** One-time codes, backup codes, and the tickets in links; all are digits here. */
function secretsIn(events: readonly ClerkEvent[]): string[] {
  const secrets: string[] = []
  JSON.stringify(events, (key, value) => {
    if (key === 'otp_code' || key === 'backup_codes') secrets.push(...[value ?? []].flat())
    if (typeof value === 'string') secrets.push(...(value.match(/(?<=(?:ticket|token)=)\d+/g) ?? []))
    return value
  })
  return secrets
}

async function everythingIn({ database }: ClerkSync): Promise<string> {
  const events = await database.selectFrom('event_bodies').select('body').execute()
  const tables = [
    'emails',
    'sms_messages',
    'users',
    'phone_numbers',
    'sessions',
    'waitlist_entries',
    'invitations',
    'organization_invitations',
  ]
  const rows = []
  for (const table of tables)
    rows.push(
      ...(await database
        .selectFrom(table as 'users')
        .selectAll()
        .execute()),
    )
  return JSON.stringify(rows) + events.map(({ body }) => Buffer.from(body ?? '').toString()).join('\n')
}
