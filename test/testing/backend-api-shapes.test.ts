/** What the simulated Backend API shows of each resource, against the sample events and what Clerk documents of both. */

import { createClerkClient } from '@clerk/backend'
import { describe, expect, it } from 'vitest'
import type { ResourceName } from '../../src/clerk/catalogue.ts'
import type { Payload } from '../../src/clerk/payloads.ts'
import type { EventType } from '../../src/index.ts'
import { asBackendApi, createSimulatedClerk, sampleEvent } from '../../src/testing/index.ts'
import { busyClerk, get, getJson, idsOf, refusal, serve } from './backend-api.ts'

const clerk = busyClerk(9, 1_500)

interface Counted {
  readonly data: readonly Payload[]
  readonly total_count: number
}

/** A list endpoint, the sample of the same resource, and in which fields the two differ. */
interface Comparison {
  readonly path: string
  readonly table: ResourceName
  readonly sample: EventType
  /** Only events have them. */
  readonly eventsOnly?: readonly string[]
  /** Only the API has them, or the sample happens to lack them. */
  readonly apiOnly?: readonly string[]
}

const COUNTS = ['members_count', 'pending_invitations_count', 'missing_member_with_elevated_permissions']

const COMPARISONS: readonly Comparison[] = [
  { path: '/users?', table: 'users', sample: 'user.updated', apiOnly: ['scim', 'bypass_client_trust'] },
  {
    path: '/organizations?',
    table: 'organizations',
    sample: 'organization.updated',
    eventsOnly: COUNTS,
    apiOnly: ['last_active_at'],
  },
  {
    path: '/organizations?include_members_count=true&include_missing_member_with_elevated_permissions=true&',
    table: 'organizations',
    sample: 'organization.updated',
    apiOnly: [...COUNTS, 'last_active_at'],
  },
  {
    path: '/organization_memberships?',
    table: 'organization_memberships',
    sample: 'organizationMembership.updated',
    apiOnly: ['private_metadata'],
  },
  {
    path: '/organization_invitations?',
    table: 'organization_invitations',
    sample: 'organizationInvitation.accepted',
    eventsOnly: ['user_id'],
  },
  { path: '/organization_domains?', table: 'organization_domains', sample: 'organizationDomain.updated' },
  { path: '/organization_roles?', table: 'roles', sample: 'role.updated' },
  { path: '/organization_permissions?', table: 'permissions', sample: 'permission.updated' },
  { path: '/waitlist_entries?', table: 'waitlist_entries', sample: 'waitlistEntry.updated' },
]

async function all(path: string): Promise<readonly Payload[]> {
  const api = await serve(clerk)
  const body = await getJson<Counted | Payload[]>(api, `${path}limit=500&order_by=created_at`)
  return 'data' in body ? body.data : body
}

describe.each(COMPARISONS)('$path', ({ path, table, sample, eventsOnly = [], apiOnly = [] }) => {
  it('shows the fields that events show', async () => {
    const fields = new Set((await all(path)).flatMap(Object.keys))
    const sampled = new Set(Object.keys(sampleEvent(sample).data))
    const ownOnly = [...fields].filter((field) => !sampled.has(field))
    expect(ownOnly.filter((field) => !apiOnly.includes(field))).toEqual([])
    expect([...sampled].filter((field) => !fields.has(field) && !eventsOnly.includes(field))).toEqual([])
    expect([...fields].filter((field) => eventsOnly.includes(field))).toEqual([])
  })

  it('shows the instance as it is now', async () => {
    const shown = await all(path)
    expect(shown.length).toBeGreaterThan(0)
    if (path === '/organizations?') return
    expect(shown).toEqual(JSON.parse(JSON.stringify([...asBackendApi(clerk).resources(table).values()])))
  })
})

describe('a resource', () => {
  it('shows others as they are now, which events could not', async () => {
    const changing = createSimulatedClerk()
    changing.act('createOrganization')
    changing.act('inviteToOrganization')
    changing.act('addDomain')
    const [organization] = changing.resources('organizations').keys()
    const api = await serve(changing)
    const before = changing.resources('organization_memberships')
    for (let i = 0; i < 20; i++) changing.act('updateOrganization', organization)
    const current = changing.resources('organizations').get(String(organization))
    for (const [list, field] of [
      ['/organization_memberships', 'organization'],
      ['/organization_invitations', 'public_organization_data'],
      ['/organization_domains', 'public_organization_data'],
    ] as const) {
      const { data } = await getJson<Counted>(api, list)
      expect(data[0]?.[field]).toMatchObject({ name: current?.name, slug: current?.slug })
    }
    expect([...before.values()][0]?.organization?.slug).not.toBe(current?.slug)
  })

  it('within another shows less of itself', async () => {
    const [membership] = await all('/organization_memberships?')
    expect(membership?.organization).not.toHaveProperty('private_metadata')
    expect(membership?.organization).not.toHaveProperty('created_by')
    expect(membership?.organization).toHaveProperty('members_count')
  })

  it('expires without an event', async () => {
    const waiting = createSimulatedClerk()
    const session = String(waiting.act('signIn').at(-1)?.data.id)
    waiting.act('inviteToOrganization')
    const api = await serve(waiting)
    const statuses = async () => {
      const { status } = await getJson(api, `/sessions/${session}`)
      const { data } = await getJson<Counted>(api, '/organization_invitations')
      return [status, data[0]?.status]
    }
    expect(await statuses()).toEqual(['active', 'pending'])
    waiting.advanceTo(waiting.now + 8 * 86_400_000)
    expect(await statuses()).toEqual(['expired', 'pending'])
    waiting.advanceTo(waiting.now + 30 * 86_400_000)
    expect(await statuses()).toEqual(['abandoned', 'expired'])
    const { data } = await getJson<Counted>(api, '/organization_invitations?status=expired')
    expect(data).toHaveLength(1)
  })
})

describe('a session', () => {
  it('comes without its user, and with what is left to be done', async () => {
    const api = await serve(clerk)
    for (const session of clerk.resources('sessions').values()) {
      const { tasks, ...shown } = await getJson(api, `/sessions/${session.id}`)
      const { user, ...stored } = session
      expect(shown).toEqual({ ...stored, status: expect.any(String) })
      expect(tasks).toEqual(session.status === 'pending' ? [{ key: expect.any(String) }] : null)
    }
    const fields = Object.keys(sampleEvent('session.created').data).filter((field) => field !== 'user')
    const [id] = clerk.resources('sessions').keys()
    expect(Object.keys(await getJson(api, `/sessions/${id}`)).sort()).toEqual([...fields, 'tasks'].sort())
  })

  it('is listed with its user’s others, newest first', async () => {
    const api = await serve(clerk)
    const [session] = clerk.resources('sessions').values()
    const owned = clerk.ownedBy('sessions', String(session?.user_id))
    expect(idsOf(await getJson<Payload[]>(api, `/sessions?user_id=${session?.user_id}&limit=500`))).toEqual(
      idsOf(owned).toReversed(),
    )
    expect(idsOf(await getJson<Payload[]>(api, `/sessions?client_id=${session?.client_id}`))).toEqual([
      session?.id,
    ])
  })
})

describe('the invitations of one organization', () => {
  it('do not name the organization', async () => {
    const api = await serve(clerk)
    const [invitation] = clerk.resources('organization_invitations').values()
    const path = `/organizations/${invitation?.organization_id}/invitations`
    const { data } = await getJson<Counted>(api, `${path}?limit=500`)
    const found = data.find(({ id }) => id === invitation?.id)
    expect(found).not.toHaveProperty('public_organization_data')
    expect(await getJson(api, `${path}/${invitation?.id}`)).toEqual(found)
    expect(await refusal(get(api, `${path}/orginv_unknown`))).toEqual([404, 'resource_not_found'])
  })
})

describe('roles', () => {
  it('include those that every instance has', async () => {
    const roles = await all('/organization_roles?')
    expect(roles.slice(0, 2).map(({ key }) => key)).toEqual(['org:admin', 'org:member'])
    expect(roles).toHaveLength(clerk.resources('roles').size + 2)
    const api = await serve(clerk)
    expect(await getJson(api, `/organization_roles/${roles[0]?.id}`)).toEqual(roles[0])
    const [permission] = (roles[0] as Payload).permissions as Payload[]
    expect(await getJson(api, `/organization_permissions/${permission?.id}`)).toEqual(permission)
  })
})

/** The fields that Clerk's OpenAPI requires, and those that only events have. */
const BILLING = {
  item: {
    path: '/billing/subscription_items?include_free=true&',
    required: [
      ...[
        'object',
        'id',
        'instance_id',
        'status',
        'plan_id',
        'plan_period',
        'payer_id',
        'is_free_trial',
        'period_start',
      ],
      ...['period_end', 'canceled_at', 'past_due_at', 'ended_at', 'price_id', 'next_payment', 'totals'],
    ],
    eventsOnly: ['interval', 'subscription_id'],
  },
  plan: {
    path: '/billing/plans?',
    required: [
      ...[
        'object',
        'id',
        'name',
        'fee',
        'annual_monthly_fee',
        'annual_fee',
        'description',
        'product_id',
        'is_default',
      ],
      ...[
        'is_recurring',
        'publicly_visible',
        'has_base_fee',
        'for_payer_type',
        'slug',
        'avatar_url',
        'free_trial_enabled',
      ],
      ...['free_trial_days', 'features'],
    ],
    eventsOnly: ['amount', 'currency', 'created_at', 'updated_at'],
  },
  statement: {
    path: '/billing/statements?',
    required: ['object', 'id', 'instance_id', 'timestamp', 'payer', 'status', 'totals', 'groups'],
    eventsOnly: [],
  },
}

describe('billing', () => {
  it.each(Object.entries(BILLING))(
    'shows each %s in a shape of its own',
    async (_, { path, required, eventsOnly }) => {
      const shown = await all(path)
      expect(shown.length).toBeGreaterThan(2)
      for (const resource of shown) {
        expect(required.filter((field) => !(field in resource))).toEqual([])
        expect(eventsOnly.filter((field) => field in resource)).toEqual([])
      }
    },
  )

  it('shows the subscription of a user or an organization only there', async () => {
    const api = await serve(clerk)
    const kinds = new Set<string>()
    for (const { id, payer } of clerk.resources('subscriptions').values()) {
      const owner = payer?.user_id ? `users/${payer.user_id}` : `organizations/${payer?.organization_id}`
      const response = await get(api, `/${owner}/billing/subscription`)
      if (response.status === 404) continue
      kinds.add(owner.slice(0, 4))
      const shown = (await response.json()) as Payload
      expect(shown).toMatchObject({ object: 'commerce_subscription', id, eligible_for_free_trial: false })
      expect(Object.keys(shown)).not.toEqual(
        expect.arrayContaining(['items', 'payer', 'canceled_at', 'payment_source_id']),
      )
      const items = clerk
        .ownedBy('subscription_items', id)
        .filter(({ status }) => status !== 'ended' && status !== 'abandoned')
      expect(idsOf(shown.subscription_items as Payload[])).toEqual(idsOf(items))
    }
    expect(kinds).toEqual(new Set(['user', 'orga']))
    expect((await get(api, '/billing/subscriptions')).status).toBe(404)
  })

  it('shows payments below their statements', async () => {
    const api = await serve(clerk)
    const [statement] = await all('/billing/statements?')
    const { data, total_count } = await getJson<Counted>(
      api,
      `/billing/statements/${statement?.id}/payment_attempts`,
    )
    const attempt = clerk.resources('payment_attempts').get(String(data[0]?.id))
    expect(total_count).toBe(1)
    expect(data[0]).toMatchObject({
      object: 'commerce_payment',
      statement_id: statement?.id,
      amount: attempt?.totals?.grand_total,
      payment_method: { object: 'commerce_payment_method', last4: attempt?.payment_source?.last4 },
    })
    for (const field of [
      'payment_source',
      'subscription_items',
      'invoice_id',
      'billing_date',
      'failed_reason',
    ]) {
      expect(data[0]).not.toHaveProperty(field)
    }
  })

  it('has null where events have an empty string, since 2025-11-10', async () => {
    const api = await serve(clerk)
    const payerOf = async (version: string) => {
      const path = '/billing/subscription_items?payer_type=user&include_free=true'
      const { data } = (await (await get(api, path, { 'clerk-api-version': version })).json()) as Counted
      return data[0]?.payer
    }
    expect(await payerOf('2025-04-10')).toMatchObject({ organization_id: '', organization_name: '' })
    expect(await payerOf('2025-11-10')).toMatchObject({ organization_id: null, organization_name: null })
    expect(await payerOf('2026-05-12')).toMatchObject({ organization_id: null, organization_name: null })
  })
})

describe('Clerk’s own client', () => {
  it('understands the lists', async () => {
    const api = await serve(clerk)
    const client = createClerkClient({ secretKey: api.secretKey, apiUrl: api.url })
    const users = await client.users.getUserList({ limit: 3, orderBy: '+created_at' })
    expect(users.totalCount).toBe(clerk.resources('users').size)
    expect(users.data.map(({ id }) => id)).toEqual([...clerk.resources('users').keys()].slice(0, 3))
    const organizations = await client.organizations.getOrganizationList({ includeMembersCount: true })
    expect(organizations.data[0]?.membersCount).toBeGreaterThan(0)
    const memberships = await client.organizations.getInstanceOrganizationMembershipList({ limit: 2 })
    expect(memberships.totalCount).toBe(clerk.resources('organization_memberships').size)
    const [session] = clerk.resources('sessions').values()
    const sessions = await client.sessions.getSessionList({ userId: String(session?.user_id) })
    expect(sessions.data.length).toBeGreaterThan(0)
    const entries = await client.waitlistEntries.list()
    expect(entries.totalCount).toBe(clerk.resources('waitlist_entries').size)
  })
})

describe('the instance', () => {
  it('is of the kind that its key tells', async () => {
    const [development, production] = [await serve(clerk), await serve(clerk, { secretKey: 'sk_live_x' })]
    const instance = { object: 'instance', id: clerk.instanceId, allowed_origins: null, workspace_id: null }
    expect(await getJson(development, '/instance')).toEqual({ ...instance, environment_type: 'development' })
    expect(await getJson(production, '/instance')).toEqual({ ...instance, environment_type: 'production' })
  })
})

describe('one address or number', () => {
  it('is found without its user', async () => {
    const api = await serve(clerk)
    const users = [...clerk.resources('users').values()]
    const address = users.flatMap(({ email_addresses = [] }) => email_addresses)[0]
    const number = users.flatMap(({ phone_numbers = [] }) => phone_numbers)[0]
    expect(await getJson(api, `/email_addresses/${address?.id}`)).toEqual(JSON.parse(JSON.stringify(address)))
    expect(await getJson(api, `/phone_numbers/${number?.id}`)).toEqual(JSON.parse(JSON.stringify(number)))
    expect(await refusal(get(api, `/phone_numbers/${address?.id}`))).toEqual([404, 'resource_not_found'])
  })
})
