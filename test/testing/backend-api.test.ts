/** The simulated Backend API: its lists, pages, filters and errors, as Clerk documents them. */

import { createClerkClient } from '@clerk/backend'
import { describe, expect, it } from 'vitest'
import type { Payload } from '../../src/clerk/payloads.ts'
import { createSimulatedClerk } from '../../src/testing/index.ts'
import { busyClerk, type ErrorBody, get, getJson, idsOf, refusal, serve } from './backend-api.ts'

const clerk = busyClerk()
const userIds = [...clerk.resources('users').keys()]
const organizationIds = [...clerk.resources('organizations').keys()]

interface Counted {
  readonly data: readonly Payload[]
  readonly total_count: number
}

describe('a list', () => {
  it('has 10 of them unless told otherwise, and at most 500: more silently gives 10', async () => {
    const many = createSimulatedClerk()
    for (let i = 0; i < 510; i++) many.act('createUser')
    const api = await serve(many)
    const sizeOf = async (query: string) => (await getJson<Payload[]>(api, `/users${query}`)).length
    expect(await sizeOf('')).toBe(10)
    expect(await sizeOf('?limit=500')).toBe(500)
    expect(await sizeOf('?limit=501')).toBe(10)
    expect(await sizeOf('?limit=1')).toBe(1)
    expect(await sizeOf('?limit=500&offset=500')).toBe(10)
    expect(await sizeOf('?offset=600')).toBe(0)
  })

  it.each(['limit=x', 'limit=-1', 'offset=-1', 'offset=1.5', 'order_by=nothing', 'order_by=+created_at'])(
    'refuses %s',
    async (query) => {
      const api = await serve(clerk)
      expect(await refusal(get(api, `/users?${query}`))).toEqual([422, 'form_param_value_invalid'])
    },
  )

  it('is newest first, or in the order that is asked for', async () => {
    const api = await serve(clerk)
    const users = (query: string) => getJson<Payload[]>(api, `/users?limit=500&${query}`)
    expect(idsOf(await users(''))).toEqual(userIds.toReversed())
    expect(idsOf(await users('order_by=created_at'))).toEqual(userIds)
    expect(idsOf(await users('order_by=%2Bcreated_at'))).toEqual(userIds)
    const updated = (await users('order_by=-updated_at')).map(({ updated_at }) => updated_at as number)
    expect(updated).toEqual([...updated].sort((a, b) => b - a))
    expect(updated.length).toBeGreaterThan(20)
  })

  it.each([
    '/organizations',
    '/organization_memberships',
    '/organization_invitations',
    '/organization_domains',
    '/organization_roles',
    '/organization_permissions',
    '/waitlist_entries',
    '/role_sets',
    '/billing/subscription_items',
    '/billing/plans',
    '/billing/prices',
    '/billing/statements',
    '/enterprise_connections',
    '/domains',
    '/blocklist_identifiers',
  ])('says how many there are: %s', async (path) => {
    const api = await serve(clerk)
    const { data, total_count, ...rest } = await getJson<Counted>(api, `${path}?limit=2&include_free=true`)
    expect(rest).toEqual({})
    expect(data).toHaveLength(Math.min(2, total_count))
  })

  it.each([
    '/users',
    `/sessions?user_id=${userIds[0]}`,
    '/invitations',
    '/allowlist_identifiers',
    '/redirect_urls',
    '/jwt_templates',
  ])('is a bare array: %s', async (path) => {
    const api = await serve(clerk)
    expect(await getJson<Payload[]>(api, path)).toBeInstanceOf(Array)
  })

  it.each([`/sessions?user_id=${userIds[0]}`, '/invitations?status=accepted'])(
    'counts when asked to: %s',
    async (path) => {
      const api = await serve(clerk)
      const data = await getJson<Payload[]>(api, path)
      expect(await getJson(api, `${path}&paginated=true`)).toEqual({ data, total_count: expect.any(Number) })
    },
  )

  it('moves up when something before the next page is deleted, and a row is skipped', async () => {
    const changing = createSimulatedClerk()
    const ids = Array.from({ length: 30 }, () => String(changing.act('createUser')[0]?.data.id))
    const api = await serve(changing)
    const page = (offset: number) => getJson<Payload[]>(api, `/users?order_by=created_at&offset=${offset}`)
    const first = idsOf(await page(0))
    changing.act('deleteUser', ids[3])
    const second = idsOf(await page(10))
    expect(first).toEqual(ids.slice(0, 10))
    expect(second).toEqual(ids.slice(11, 21))
  })
})

describe('the cursor of users', () => {
  it('goes on behind the last user, whatever is deleted', async () => {
    const changing = createSimulatedClerk()
    const ids = Array.from({ length: 30 }, () => String(changing.act('createUser')[0]?.data.id))
    const api = await serve(changing)
    const page = (cursor: string) =>
      getJson<Payload[]>(api, `/users?order_by=created_at&starting_after=${cursor}`)
    changing.act('deleteUser', ids[3])
    expect(idsOf(await page(String(ids[9])))).toEqual(ids.slice(10, 20))
    expect(idsOf(await page(String(ids[29])))).toEqual([])
  })

  it('also goes backwards in time', async () => {
    const api = await serve(clerk)
    const page = await getJson<Payload[]>(api, `/users?starting_after=${userIds.at(-3)}&limit=2`)
    expect(idsOf(page)).toEqual(userIds.toReversed().slice(3, 5))
  })

  it.each(['order_by=-updated_at', 'offset=10', 'order_by=username'])(
    'does not go with %s',
    async (query) => {
      const api = await serve(clerk)
      const answer = get(api, `/users?starting_after=${userIds[0]}&${query}`)
      expect(await refusal(answer)).toEqual([422, 'form_param_value_invalid'])
    },
  )

  it('refuses a user that is gone', async () => {
    const api = await serve(clerk)
    const [gone] = clerk.deletedIds('users')
    expect(await refusal(get(api, `/users?starting_after=${gone}`))).toEqual([
      422,
      'form_param_value_invalid',
    ])
  })
})

describe('a filter', () => {
  it('takes up to 100 ids, with or without brackets, wanted or not', async () => {
    const api = await serve(clerk)
    const users = (query: string) => getJson<Payload[]>(api, `/users?limit=500&order_by=created_at&${query}`)
    const [first, second, third] = userIds
    expect(idsOf(await users(`user_id=${first}&user_id=${third}&user_id=user_unknown`))).toEqual([
      first,
      third,
    ])
    expect(idsOf(await users(`user_id[]=${second}&user_id%5B%5D=%2B${third}`))).toEqual([second, third])
    expect(idsOf(await users(`user_id=-${first}`))).toEqual(userIds.slice(1))
    const many = Array.from({ length: 101 }, (_, index) => `user_id=user_${index}`).join('&')
    expect(await refusal(get(api, `/users?${many}`))).toEqual([422, 'form_param_value_invalid'])
  })

  it('counts the same users that it lists', async () => {
    const api = await serve(clerk)
    for (const query of [
      '',
      'banned=true',
      'banned=false',
      `organization_id=${organizationIds[0]}`,
      'query=ada',
    ]) {
      const users = await getJson<Payload[]>(api, `/users?limit=500&${query}`)
      const count = await getJson(api, `/users/count?${query}`)
      expect(count).toEqual({ object: 'total_count', total_count: users.length })
      expect(users.length).toBeGreaterThan(0)
    }
  })

  it('divides by time', async () => {
    const api = await serve(clerk)
    const middle = clerk.resources('users').get(String(userIds[10]))?.created_at
    const users = (query: string) => getJson<Payload[]>(api, `/users?limit=500&order_by=created_at&${query}`)
    expect(idsOf(await users(`created_at_before=${middle}`))).toEqual(userIds.slice(0, 10))
    expect(idsOf(await users(`created_at_after=${middle}`))).toEqual(userIds.slice(11))
  })

  it('finds one thing by its id', async () => {
    const api = await serve(clerk)
    for (const [table, path] of [
      ['waitlist_entries', '/waitlist_entries?'],
      ['organization_invitations', '/organization_invitations?'],
      ['organization_domains', '/organization_domains?'],
      ['roles', '/organization_roles?'],
      ['permissions', '/organization_permissions?'],
    ] as const) {
      const [id] = clerk.resources(table).keys()
      const { data } = await getJson<Counted>(api, `${path}query=${id}`)
      expect(idsOf(data)).toEqual([id])
    }
  })

  it('finds the membership of a user in an organization', async () => {
    const api = await serve(clerk)
    const [membership] = clerk.resources('organization_memberships').values()
    const path = `/organizations/${membership?.organization?.id}/memberships`
    const { data } = await getJson<Counted>(api, `${path}?user_id=${membership?.public_user_data?.user_id}`)
    expect(idsOf(data)).toEqual([membership?.id])
  })

  it('is needed for sessions', async () => {
    const api = await serve(clerk)
    expect(await refusal(get(api, '/sessions'))).toEqual([422, 'form_param_missing'])
  })

  it('is needed for revoked invitations and for items of free plans', async () => {
    const api = await serve(clerk)
    const statuses = async (query: string) => {
      const found = await getJson<Payload[]>(api, `/invitations?limit=500${query}`)
      return new Set(found.map(({ status }) => status))
    }
    expect(await statuses('')).not.toContain('revoked')
    expect(await statuses('&status=revoked')).toEqual(new Set(['revoked']))
    const plans = async (query: string) => {
      const { data } = await getJson<Counted>(api, `/billing/subscription_items?limit=500${query}`)
      return new Set(data.map(({ plan }) => (plan as Payload).slug))
    }
    expect(await plans('')).toEqual(new Set(['pro', 'team']))
    expect(await plans('&include_free=true')).toEqual(new Set(['free', 'pro', 'team']))
  })
})

describe('an error', () => {
  it('comes in the shape that Clerk’s client reads', async () => {
    const api = await serve(clerk)
    const response = await get(api, '/users/user_unknown')
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect((await response.json()) as ErrorBody).toEqual({
      errors: [
        {
          code: 'resource_not_found',
          message: 'not found',
          long_message: 'No user was found with id user_unknown.',
          meta: {},
        },
      ],
      clerk_trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    const client = createClerkClient({ secretKey: api.secretKey, apiUrl: api.url })
    await expect(client.users.getUser('user_unknown')).rejects.toMatchObject({
      status: 404,
      clerkTraceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      errors: [{ code: 'resource_not_found' }],
    })
  })

  it.each([
    '/unknown',
    '/user',
    '/users/',
    '/users/a/b/c',
    '/organization_memberships/orgmem_1',
    '/waitlist_entries/x',
  ])('is 404 for a path that Clerk does not have: %s', async (path) => {
    const api = await serve(clerk)
    expect(await refusal(get(api, path))).toEqual([404, 'resource_not_found'])
  })

  it('is 404 without /v1', async () => {
    const api = await serve(clerk)
    const headers = { authorization: `Bearer ${api.secretKey}` }
    expect((await fetch(`${api.url}/users`, { headers })).status).toBe(404)
  })

  it('is 410 for clients and 400 for the old paths of billing', async () => {
    const api = await serve(clerk)
    expect((await get(api, '/clients')).status).toBe(410)
    expect((await get(api, '/commerce/plans')).status).toBe(400)
    expect((await get(api, '/commerce/subscription_items')).status).toBe(400)
  })

  it('is 401 for the wrong key, or none', async () => {
    const api = await serve(clerk, { secretKey: 'sk_live_right' })
    const key = (authorization: string) => refusal(get(api, '/users', { authorization }))
    expect(await key('Bearer sk_live_wrong')).toEqual([401, 'clerk_key_invalid'])
    expect(await key('sk_live_right')).toEqual([401, 'authorization_header_format_invalid'])
    expect(await refusal(fetch(`${api.url}/v1/users`))).toEqual([401, 'authorization_header_format_invalid'])
    expect((await get(api, '/users')).status).toBe(200)
  })
})
