import { describe, expect, it } from 'vitest'
import { CATALOGUE, findEvent, type ResourceName } from '../../src/clerk/catalogue.ts'
import { type ClerkEvent, EVENT_TYPES } from '../../src/index.ts'
import { createSimulatedClerk, SILENT_ACTIONS, SIMULATED_ACTIONS } from '../../src/testing/index.ts'

/** So many actions reach everything; the seed is any. */
const clerk = createSimulatedClerk({ seed: 11 })
const history = Array.from({ length: 3_000 }, () => clerk.act()).flat()

const TABLES = Object.keys(CATALOGUE) as ResourceName[]

function ofType(type: string): ClerkEvent[] {
  return history.filter((event) => event.type === type)
}

describe('a simulated Clerk', () => {
  it('repeats itself by seed, byte for byte', () => {
    const run = (seed: number) => {
      const simulated = createSimulatedClerk({ seed })
      return JSON.stringify(Array.from({ length: 200 }, () => simulated.act()))
    }
    expect(run(5)).toBe(run(5))
    expect(run(5)).not.toBe(run(6))
  })

  it('sends every type of event', () => {
    const sent = new Set(history.map((event) => event.type))
    expect(EVENT_TYPES.filter((type) => !sent.has(type))).toEqual([])
  })

  it.each(SIMULATED_ACTIONS.filter((name) => !SILENT_ACTIONS.includes(name)))(
    'can %s in an empty instance',
    (action) => {
      const events = createSimulatedClerk().act(action)
      expect(events.length).toBeGreaterThan(0)
      expect(events.map((event) => findEvent(event.type))).not.toContain(undefined)
    },
  )

  it('does some things silently, and only if told to', () => {
    expect(SILENT_ACTIONS.slice(0, 5)).toEqual([
      'createInvitation',
      'revokeInvitation',
      'acceptInvitation',
      'deleteWaitlistEntry',
      'noteActivity',
    ])
    const simulated = createSimulatedClerk()
    expect(simulated.act('createInvitation')).toEqual([])
    const [id] = simulated.resources('invitations').keys()
    expect(simulated.act('acceptInvitation', id).map(({ type }) => type)).toEqual(['user.created'])
    expect(simulated.resources('invitations').get(String(id))?.status).toBe('accepted')
    expect(simulated.act('revokeInvitation')).toEqual([])
    expect([...simulated.resources('invitations').values()].map(({ status }) => status)).toEqual([
      'accepted',
      'revoked',
    ])
    const [user] = simulated.resources('users').values()
    expect(simulated.act('noteActivity', user?.id)).toEqual([])
    const active = simulated.resources('users').get(String(user?.id))
    expect(active).toEqual({ ...user, last_active_at: simulated.now })
    expect(simulated.act('deleteWaitlistEntry').map(({ type }) => type)).toEqual(['waitlistEntry.created'])
    expect(simulated.resources('waitlist_entries').size).toBe(0)
    expect(simulated.deletedIds('waitlist_entries').size).toBe(1)
  })

  it.each(SILENT_ACTIONS)('can %s in an empty instance', (action) => {
    const simulated = createSimulatedClerk()
    const countOf = () => TABLES.reduce((sum, table) => sum + simulated.resources(table).size, 0)
    simulated.act(action)
    const isRemoval = TABLES.some((table) => simulated.deletedIds(table).size > 0)
    expect(countOf() > 0 || isRemoval).toBe(true)
  })

  it('acts on the resource that it is told', () => {
    const simulated = createSimulatedClerk()
    const [first] = simulated.act('createUser')
    simulated.act('createUser')
    const [deleted] = simulated.act('deleteUser', first?.data.id)
    expect(deleted).toMatchObject({ type: 'user.deleted', data: { id: first?.data.id, deleted: true } })
    expect(simulated.resources('users').size).toBe(1)
    expect(simulated.deletedIds('users')).toEqual(new Set([first?.data.id]))
  })

  it('refuses what cannot be done', () => {
    const simulated = createSimulatedClerk()
    const session = simulated.act('endSession').at(-1)
    expect(() => simulated.act('createUser', 'user_unknown')).toThrow(/because it makes something new/)
    expect(() => simulated.act('deleteUser', 'user_unknown')).toThrow(/user_unknown, which does not exist/)
    expect(() => simulated.act('endSession', session?.data.id)).toThrow(/is not in a state for it/)
  })

  it('is not changed by who changes its events', () => {
    const simulated = createSimulatedClerk()
    const [event] = simulated.act('createUser')
    const id = String(event?.data.id)
    const before = JSON.stringify(simulated.resources('users').get(id))
    Object.assign(event?.data ?? {}, { first_name: 'Mallory' })
    expect(JSON.stringify(simulated.resources('users').get(id))).toBe(before)
  })
})

describe('its clock', () => {
  it('only moves forward', () => {
    const simulated = createSimulatedClerk({ startAt: 1_000_000_000_000 })
    expect(simulated.now).toBeGreaterThanOrEqual(1_000_000_000_000)
    const before = simulated.now
    simulated.act()
    expect(simulated.now).toBeGreaterThan(before)
    simulated.advanceTo(before)
    expect(simulated.now).toBeGreaterThan(before)
    simulated.advanceTo(2_000_000_000_000)
    expect(simulated.now).toBe(2_000_000_000_000)
  })

  it('shows each resource at strictly later versions', () => {
    const versions = new Map<string, [number, number]>()
    for (const { data, timestamp = 0 } of history.filter(({ data }) => 'updated_at' in data)) {
      const { id, updated_at } = data as { id: string; updated_at: number }
      const [updatedBefore, shownBefore] = versions.get(id) ?? [0, 0]
      expect(updated_at).toBeGreaterThanOrEqual(updatedBefore)
      expect(timestamp).toBeGreaterThan(shownBefore)
      versions.set(id, [updated_at, timestamp])
    }
    expect(versions.size).toBeGreaterThan(1_000)
  })

  it('puts the creation before the update, and both before the event', () => {
    for (const { type, data, timestamp } of history) {
      const { created_at = 0, updated_at = 1 } = data as { created_at?: number; updated_at?: number }
      expect(updated_at, type).toBeGreaterThan(created_at)
      expect(timestamp, type).toBeGreaterThan(updated_at)
    }
  })

  it('lets sessions and invitations expire without a word', () => {
    const simulated = createSimulatedClerk()
    const session = String(simulated.act('signIn').at(-1)?.data.id)
    const invitation = String(simulated.act('inviteToOrganization').at(-1)?.data.id)
    simulated.advanceTo(simulated.now + 365 * 86_400_000)
    expect(simulated.resources('sessions').get(session)).toMatchObject({ status: 'active' })
    expect(() => simulated.act('endSession', session)).toThrow(/not in a state/)
    expect(() => simulated.act('acceptOrganizationInvitation', invitation)).toThrow(/not in a state/)
  })
})

describe('deletions', () => {
  it('carry an id and no clock, but for memberships', () => {
    const deletions = history.filter(({ type }) => /deleted$/.test(type) && !/Membership/.test(type))
    expect(deletions.length).toBeGreaterThan(50)
    for (const { data } of deletions) {
      expect(data).toMatchObject({ id: expect.any(String), object: expect.any(String), deleted: true })
      expect(Object.keys(data).filter((key) => key.endsWith('_at'))).toEqual([])
    }
  })

  it('show the whole membership with the clock of its last change', () => {
    const shown = new Map<string, unknown>()
    for (const { type, data } of history.filter((event) =>
      event.type.startsWith('organizationMembership.'),
    )) {
      if (type.endsWith('deleted')) expect(data).toEqual(shown.get(data.id))
      shown.set(data.id, data)
    }
    expect(ofType('organizationMembership.deleted').length).toBeGreaterThan(20)
  })

  it('sometimes tell of the memberships that go with a user or an organization, and sometimes do not', () => {
    const told = new Set(ofType('organizationMembership.deleted').map(({ data }) => data.id))
    const silent = [...clerk.deletedIds('organization_memberships')].filter((id) => !told.has(id))
    expect(silent.length).toBeGreaterThan(10)
    const deletions = history.filter(({ type }) => ['user.deleted', 'organization.deleted'].includes(type))
    const moments = new Set(deletions.map(({ timestamp }) => timestamp))
    const alongside = ofType('organizationMembership.deleted').filter(({ timestamp }) =>
      moments.has(timestamp),
    )
    expect(alongside.length).toBeGreaterThan(10)
  })

  it('take what belongs to an organization or a user', () => {
    const gone = new Set([...clerk.deletedIds('users'), ...clerk.deletedIds('organizations')])
    const owners = {
      organization_memberships: ['organization.id', 'public_user_data.user_id'],
      organization_invitations: ['organization_id'],
      organization_domains: ['organization_id'],
      sessions: ['user_id'],
    } as const
    for (const [table, paths] of Object.entries(owners)) {
      const live = [...clerk.resources(table as ResourceName).values()]
      expect(live.length, table).toBeGreaterThan(5)
      expect(clerk.deletedIds(table as ResourceName).size, table).toBeGreaterThan(10)
      for (const path of paths) {
        const left = live.map((resource) => at(resource, path)).filter((id) => gone.has(id))
        expect(left, `${table}.${path}`).toEqual([])
      }
    }
  })

  it('are final: no id comes back', () => {
    const gone = new Set<string>()
    for (const { type, data } of history) {
      expect(gone.has(data.id), `${type} of a deleted ${data.id}`).toBe(false)
      if (type.endsWith('.deleted') && !type.startsWith('organizationMembership')) gone.add(data.id)
    }
    for (const table of TABLES) {
      const live = new Set(clerk.resources(table).keys())
      expect([...clerk.deletedIds(table)].filter((id) => live.has(id))).toEqual([])
    }
  })

  it('give who joins again another membership', () => {
    const events = createSimulatedClerk().act('rejoinOrganization').slice(-2)
    const [left, joined] = events.map(
      ({ data }) => data as { id: string; public_user_data: { user_id: string } },
    )
    expect(events.map(({ type }) => type)).toEqual([
      'organizationMembership.deleted',
      'organizationMembership.created',
    ])
    expect(joined?.public_user_data.user_id).toBe(left?.public_user_data.user_id)
    expect(joined?.id).not.toBe(left?.id)
  })

  it('leave the address to who signs up next', () => {
    const simulated = createSimulatedClerk({ seed: 3 })
    const [before, , after] = simulated.act('recreateUser').map(({ data }) => data)
    expect(after?.id).not.toBe(before?.id)
    expect(at(after, 'email_addresses.0.email_address')).toBe(at(before, 'email_addresses.0.email_address'))
  })
})

describe('payloads', () => {
  it('show the organization in a membership in part, with counts', () => {
    for (const { data } of ofType('organizationMembership.created')) {
      const { organization } = data as unknown as { organization: object }
      expect(Object.keys(organization)).not.toContain('created_by')
      expect(Object.keys(organization)).not.toContain('private_metadata')
      expect(organization).toMatchObject({ members_count: expect.any(Number) })
    }
  })

  it('show the whole user in a session, with the new sign-in', () => {
    for (const { data, timestamp = 0 } of ofType('session.created')) {
      const { user, user_id } = data as unknown as { user: Record<string, unknown>; user_id: string }
      expect(user).toMatchObject({ id: user_id, email_addresses: expect.any(Array) })
      expect(timestamp - Number(user.last_sign_in_at)).toBeLessThan(1_000)
    }
  })

  it('leave what items share with their subscription to it', () => {
    const items = history
      .filter(({ type }) => type.startsWith('subscription.'))
      .flatMap(({ data }) => (data as unknown as { items: Record<string, unknown>[] }).items)
    expect(items.length).toBeGreaterThan(50)
    for (const item of items) {
      expect(item).toMatchObject({ subscription_id: null })
      expect(item).not.toHaveProperty('payer')
    }
  })

  it('write "" for the organization of a user who pays', () => {
    const payers = ofType('subscription.created').map(({ data }) => at(data, 'payer') as unknown)
    expect(payers).toContainEqual(
      expect.objectContaining({ user_id: expect.stringMatching(/^user_/), organization_id: '' }),
    )
    expect(payers).toContainEqual(
      expect.objectContaining({ organization_id: expect.stringMatching(/^org_/), user_id: '' }),
    )
  })

  it('have users without an e-mail address, and primary addresses that are not the first', () => {
    const users = [...clerk.resources('users').values()]
    expect(users.some(({ email_addresses }) => email_addresses?.length === 0)).toBe(true)
    const elsewhere = users.filter(({ primary_email_address_id, email_addresses }) => {
      return primary_email_address_id && email_addresses?.[0]?.id !== primary_email_address_id
    })
    expect(elsewhere.length).toBeGreaterThan(0)
  })

  it('hold now and then what breaks careless receivers', () => {
    const text = JSON.stringify(history)
    for (const hostile of [
      '\\u0000',
      '\\ud83d"',
      '"__proto__":{',
      '<script>',
      '\u202e',
      'e\u0308',
      '1.7976931348623157e+308',
    ]) {
      expect(text.includes(hostile), hostile).toBe(true)
    }
    const names = ofType('user.created').map(({ data }) =>
      String((data as { first_name?: string }).first_name),
    )
    expect(Math.max(...names.map(({ length }) => length))).toBeGreaterThan(2_704)
  })
})

function at(value: unknown, path: string): string {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)?.[key], value) as string
}
