/** The client of the Backend API, against a server that answers as Clerk does, and as what stands in front of it does. */

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { ClerkApi, type RequestBudget } from '../../src/clerk/api/client.ts'
import { askedAt } from '../../src/clerk/api/clock.ts'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'

const clerk = createSimulatedClerk({ seed: 5 })
for (let made = 0; made < 15; made++) clerk.act('createUser')
clerk.act('createOrganization')

const closers: (() => Promise<unknown>)[] = []
afterAll(() => Promise.all(closers.map((close) => close())))

async function serve(options: Parameters<typeof startBackendApi>[1] = {}): Promise<BackendApi> {
  const server = await startBackendApi(clerk, { rateLimit: null, ...options })
  closers.push(() => server.close())
  return server
}

/** A server that answers as told. */
async function answering(listener: RequestListener): Promise<{ url: string; secretKey: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, secretKey: 'sk_test_x' }
}

interface Pauses extends RequestBudget {
  readonly pauses: number[]
  taken: number
}

function budgetOf(): Pauses {
  const budget: Pauses = {
    pauses: [],
    taken: 0,
    take: async () => {
      budget.taken++
    },
    pause: async (milliseconds) => {
      budget.pauses.push(milliseconds)
    },
  }
  return budget
}

function connect(
  { url, secretKey }: { url: string; secretKey: string },
  options: { timeoutMs?: number } = {},
) {
  const budget = budgetOf()
  const api = new ClerkApi({
    secretKey,
    apiUrl: url,
    apiVersion: '2026-05-12',
    timeoutMs: 5_000,
    now: Date.now,
    budget,
    ...options,
  })
  return { api, budget, meter: { requests: 0, throttled: 0, throttledMs: 0 } }
}

describe('the client of the Backend API', () => {
  it('returns the items of a list with the text that Clerk wrote, and says who it is', async () => {
    const server = await serve()
    const { api } = connect(server)
    const page = await api.page('/users', { limit: '4' }, {})
    expect(page.items).toHaveLength(4)
    expect(page.total).toBeNull()
    for (const { id, raw, data } of page.items) {
      expect(Buffer.from(raw).toString()).toBe(JSON.stringify(clerk.resources('users').get(id)))
      expect(data).toEqual(JSON.parse(Buffer.from(raw).toString()))
    }
    expect((await api.page('/organizations', {}, {})).total).toBe(1)
    expect(await api.count('/users/count', {}, {})).toBe(15)
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${server.secretKey}`,
      'clerk-api-version': '2026-05-12',
    })
  })

  it('keeps odd spacing, escapes and numbers of an item to the letter', async () => {
    const item = '{ "id":"user_1",\n "big": 12345678901234567890, "text": "\\u0041 ]},{ \\"[" }'
    const server = await answering((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(`{"total_count": 2, "data": [ ${item} ,{"id":"user_2"}\t] }`)
    })
    const { items, total } = await connect(server).api.page('/users', {}, {})
    expect(items.map(({ raw }) => Buffer.from(raw).toString())).toEqual([item, '{"id":"user_2"}'])
    expect(total).toBe(2)
  })

  it.each(['server_error', 'html_page', 'truncated', 'dropped'] as const)(
    'tries again after %s',
    async (fault) => {
      const server = await serve()
      server.failNext(fault)
      const { api, meter } = connect(server)
      expect((await api.page('/users', {}, { meter })).items).toHaveLength(10)
      expect(meter.requests).toBe(2)
    },
  )

  it.each([
    ['an HTML page', 'text/html', '<html></html>'],
    ['an empty body', 'application/json', ''],
    ['half a list', 'application/json', '[{"id":"user_1"},{"id":'],
    ['something that is no list', 'application/json', '{"users":[]}'],
    ['a list without its count', 'application/json', '{"data":[]}'],
    ['items without ids', 'application/json', '[{"name":"x"}]'],
    ['JSON that nests without end', 'application/json', `[${'['.repeat(300)}${']'.repeat(300)}]`],
  ])('never takes %s with status 200 for a list', async (_, type, body) => {
    let asked = 0
    const server = await answering((_request, response) => {
      const isFirst = asked++ === 0
      response.writeHead(200, { 'content-type': isFirst ? type : 'application/json' })
      response.end(isFirst ? body : '[]')
    })
    const { api, meter } = connect(server)
    expect((await api.page('/users', {}, { meter })).items).toEqual([])
    expect(meter.requests).toBe(2)
  })

  it('waits as long as Clerk says when it is refused as one too many, and lets everybody wait', async () => {
    const server = await serve()
    server.failNext('throttled')
    const { api, budget, meter } = connect(server)
    const startedAt = performance.now()
    await api.page('/users', {}, { meter })
    expect(performance.now() - startedAt).toBeGreaterThan(990)
    expect(budget.pauses).toEqual([1_000])
    expect(meter).toMatchObject({ requests: 2, throttled: 1 })
    expect(meter.throttledMs).toBeGreaterThan(990)
    expect(budget.taken).toBe(2)
  })

  it('gives up on an answer that does not come in time, and tries again', async () => {
    let asked = 0
    const server = await answering((_, response) => {
      if (asked++ === 0) return
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]')
    })
    const { api } = connect(server, { timeoutMs: 100 })
    await api.page('/users', {}, {})
    expect(asked).toBe(2)
  })

  it('stops at once when it is told to, while it waits and while it asks, and says why', async () => {
    for (const fault of ['slow', 'throttled', 'server_error', 'no budget'] as const) {
      const server = await serve({ slowMs: 20_000 })
      const { api, budget } = connect(server)
      if (fault === 'no budget') budget.take = (signal) => sleep(20_000, undefined, { signal })
      else server.failNext(fault, { times: 20 })
      const stopping = new AbortController()
      const reading = api.page('/users', {}, { signal: stopping.signal })
      setTimeout(() => stopping.abort(new Error('enough')), 150)
      const startedAt = performance.now()
      await expect(reading, fault).rejects.toThrow('enough')
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    }
  })

  it('says that there is no such resource only when Clerk says so', async () => {
    const server = await serve()
    const { api } = connect(server)
    expect((await api.item('/users/user_nobody', {})).item).toBeNull()
    const [id] = clerk.resources('users').keys()
    expect((await api.item(`/users/${id}`, {})).item?.id).toBe(id)
  })

  it.each([
    ['a page of an ingress', 'text/html', '<html>404 page not found</html>'],
    ['JSON of something else', 'application/json', '{"error":"not found","path":"/v1/users/user_1"}'],
    ['an empty body', 'application/json', ''],
    ['an error of Clerk’s that is another', 'application/json', '{"errors":[{"code":"internal_error"}]}'],
  ])('takes no 404 with %s for absence', async (_, type, body) => {
    const server = await answering((_request, response) => {
      response.writeHead(404, { 'content-type': type }).end(body)
    })
    const { api, meter } = connect(server)
    const call = { meter, maxTries: 2 }
    await expect(api.item('/users/user_1', call)).rejects.toMatchObject({ code: 'api_unavailable' })
    await expect(api.page('/users', {}, call)).rejects.toMatchObject({ code: 'api_unavailable' })
    expect(meter.requests).toBe(4)
  })

  it.each(['payment_required', 'not_enabled', 'not_found'] as const)(
    'tells a feature that is off from an empty list: %s',
    async (how) => {
      const server = await serve({ disabled: { organizations: how } })
      await expect(connect(server).api.page('/organizations', {}, {})).rejects.toMatchObject({
        code: 'api_feature_off',
      })
    },
  )

  it('does not try again with a key that Clerk does not know, and does not print it', async () => {
    const server = await serve()
    const { api, meter } = connect({ url: server.url, secretKey: 'sk_live_hunter2' })
    const error = await api.page('/users', {}, { meter }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'api_key_refused' })
    expect(String(error)).not.toContain('hunter2')
    expect(meter.requests).toBe(1)
  })

  it('does not follow a redirect, which would take the key elsewhere', async () => {
    let leaked = 0
    const elsewhere = await answering((_, response) => {
      leaked++
      response.end()
    })
    const server = await answering((_, response) => {
      response.writeHead(302, { location: elsewhere.url }).end()
    })
    await expect(
      connect(server).api.page('/users', {}, { signal: AbortSignal.timeout(400) }),
    ).rejects.toThrow()
    expect(leaked).toBe(0)
  })
})

describe('when Clerk was asked', () => {
  const at = (text: string) => Date.parse(`2026-03-01T12:00:${text}Z`)

  it.each([
    ['this clock, if the answer’s date allows it', at('10.400'), 300, at('10.000'), at('10.400')],
    ['this clock, at the second’s turn', at('10.900'), 300, at('11.000'), at('10.900')],
    [
      'the earliest that the date allows, if this clock is ahead',
      at('15.400'),
      300,
      at('10.000'),
      at('09.700'),
    ],
    [
      'the earliest that the date allows, if this clock is behind',
      at('05.400'),
      300,
      at('10.000'),
      at('09.700'),
    ],
  ])('is told by %s', (_, startedAt, tookMs, date, expected) => {
    expect(askedAt(startedAt, tookMs, new Date(date).toUTCString()).getTime()).toBe(expected)
  })

  it('is told by this clock if the answer has no date', () => {
    expect(askedAt(at('05.400'), 300, null).getTime()).toBe(at('05.400'))
    expect(askedAt(at('05.400'), 300, 'soon').getTime()).toBe(at('05.400'))
  })
})
