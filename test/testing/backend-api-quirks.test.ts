/** What goes wrong with the simulated Backend API when it is told to, and its measures against too many requests. */

import { createClerkClient } from '@clerk/backend'
import { describe, expect, it } from 'vitest'
import { RateLimiter } from '../../src/testing/backend-api/rate-limit.ts'
import { type BackendFault, type ClerkFeature, createSimulatedClerk } from '../../src/testing/index.ts'
import { busyClerk, get, getJson, refusal, serve } from './backend-api.ts'

const clerk = busyClerk(7, 300)

describe('the rate limit', () => {
  it('is that of the kind of instance', async () => {
    const statuses = async (secretKey: string, requests: number) => {
      const api = await serve(clerk, { secretKey, rateLimit: undefined })
      for (let i = 0; i < requests; i++) await (await get(api, '/users/count')).arrayBuffer()
      return api.requests.filter(({ status }) => status === 200).length
    }
    expect(await statuses('sk_test_x', 110)).toBe(100)
    expect(await statuses('sk_live_x', 1_010)).toBe(1_000)
  })

  it('says in whole seconds when to come again, and keeps the endpoint closed until then', async () => {
    const api = await serve(clerk, { rateLimit: { requests: 2, perMs: 200 } })
    expect((await get(api, '/users')).status).toBe(200)
    expect((await get(api, '/users/count')).status).toBe(200)
    const refused = await get(api, '/users')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refusal(refused)).toEqual([429, 'too_many_requests'])
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect((await get(api, '/users?limit=3')).status).toBe(429)
    expect((await get(api, '/organizations')).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect((await get(api, '/users')).status).toBe(200)
  })

  it('counts the requests of the last span', () => {
    const limiter = new RateLimiter({ requests: 2, perMs: 10_000 })
    expect([0, 4_000].map((now) => limiter.take('a', now))).toEqual([undefined, undefined])
    expect(limiter.take('a', 5_500)).toBe(5)
    expect(limiter.take('a', 10_100)).toBe(1)
    expect(limiter.take('a', 10_500)).toBe(undefined)
    expect(limiter.take('b', 10_600)).toBe(4)
  })
})

describe('a fault', () => {
  const faultsOf = async (kind: BackendFault, options: { path?: string; times?: number }) => {
    const api = await serve(clerk, { slowMs: 100 })
    api.failNext(kind, options)
    return api
  }

  it('befalls one request, or some, or some path', async () => {
    const api = await serve(clerk)
    const statuses = async () => {
      const answers = []
      for (const path of ['/users', '/organizations', '/users/count', '/users'])
        answers.push((await get(api, path)).status)
      return answers
    }
    api.failNext('server_error')
    expect(await statuses()).toEqual([500, 200, 200, 200])
    api.failNext('server_error', { path: '/users', times: 2 })
    expect(await statuses()).toEqual([500, 200, 500, 200])
    api.failNext('html_page', { path: '/organizations' })
    expect(await statuses()).toEqual([200, 502, 200, 200])
    expect(
      api.requests.filter(({ fault }) => fault).map(({ fault, path, status }) => [fault, path, status]),
    ).toEqual([
      ['server_error', '/v1/users', 500],
      ['server_error', '/v1/users', 500],
      ['server_error', '/v1/users/count', 500],
      ['html_page', '/v1/organizations', 502],
    ])
  })

  it('can be JSON that ends in the middle', async () => {
    const api = await faultsOf('truncated', {})
    const response = await get(api, '/users')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    const text = await response.text()
    expect(text.length).toBeGreaterThan(100)
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
  })

  it('can be the HTML page of a proxy', async () => {
    const api = await faultsOf('html_page', {})
    const response = await get(api, '/users')
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html'])
    expect(await response.text()).toMatch(/^<html>/)
  })

  it('can be an answer that comes late', async () => {
    const api = await faultsOf('slow', {})
    const start = performance.now()
    expect((await get(api, '/users')).status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(90)
    api.failNext('slow')
    await expect(fetch(`${api.url}/v1/users`, { signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/)
  })

  it('can be a dropped connection, before the answer or in the middle of it', async () => {
    const api = await faultsOf('dropped', { times: 20 })
    const outcomes = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const answer = await get(api, '/users').catch(() => undefined)
      outcomes.add(answer ? 'in the middle' : 'before')
      if (answer) await expect(answer.text()).rejects.toThrow()
    }
    expect([...outcomes].sort()).toEqual(['before', 'in the middle'])
    expect(api.requests.map(({ status }) => status)).toEqual(Array(20).fill('dropped'))
    expect((await get(api, '/users')).status).toBe(200)
  })

  it('can be a 429 without a limit', async () => {
    const api = await faultsOf('throttled', {})
    const client = createClerkClient({ secretKey: api.secretKey, apiUrl: api.url })
    await expect(client.organizations.getOrganizationList()).rejects.toMatchObject({
      status: 429,
      retryAfter: 1,
    })
  })

  it('comes at random by the seed', async () => {
    const run = async (seed: number) => {
      const api = await serve(clerk, { seed, faults: { server_error: 0.2, html_page: 0.1, truncated: 0.1 } })
      for (let i = 0; i < 100; i++) await (await get(api, '/users/count')).arrayBuffer()
      return api.requests.map(({ fault }) => fault ?? 'none')
    }
    const [first, again, other] = [await run(3), await run(3), await run(4)]
    expect(first).toEqual(again)
    expect(first).not.toEqual(other)
    const times = (kind: string) => first.filter((fault) => fault === kind).length
    expect(times('none')).toBeGreaterThan(45)
    expect(times('server_error')).toBeGreaterThan(times('html_page'))
    expect(new Set(first)).toEqual(new Set(['none', 'server_error', 'html_page', 'truncated']))
  })
})

describe('a feature that is switched off', () => {
  const PATHS: [ClerkFeature, string][] = [
    ['organizations', '/organizations'],
    ['organizations', '/organization_memberships'],
    ['organizations', '/organization_invitations'],
    ['organizations', '/organization_domains'],
    ['organizations', '/organization_roles'],
    ['billing', '/billing/subscription_items'],
    ['billing', '/users/user_1/billing/subscription'],
    ['waitlist', '/waitlist_entries'],
    ['restrictions', '/allowlist_identifiers'],
    ['enterprise_connections', '/enterprise_connections'],
    ['domains', '/domains'],
  ]

  it.each(PATHS)('refuses in the way it is told: %s, %s', async (feature, path) => {
    const api = await serve(clerk, { disabled: { [feature]: 'payment_required' } })
    expect(await refusal(get(api, path))).toEqual([402, 'unsupported_subscription_plan_features'])
    api.disable(feature, 'not_found')
    expect(await refusal(get(api, path))).toEqual([404, 'resource_not_found'])
    api.disable(feature)
    expect(await refusal(get(api, path))).toEqual([403, expect.stringMatching(/_not_enabled/)])
    expect((await get(api, '/users')).status).toBe(200)
    api.enable(feature)
    expect([200, 404]).toContain((await get(api, path)).status)
  })
})

describe('the cursor of a user that was deleted meanwhile', () => {
  it('can end the list as if there were no more', async () => {
    const changing = createSimulatedClerk()
    const ids = Array.from({ length: 12 }, () => String(changing.act('createUser')[0]?.data.id))
    changing.act('deleteUser', ids[9])
    const api = await serve(changing, { goneCursor: 'empty' })
    expect(await getJson(api, `/users?order_by=created_at&starting_after=${ids[9]}`)).toEqual([])
  })
})
