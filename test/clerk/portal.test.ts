/** The endpoints of an instance, read through the portal of the simulated Backend API and of answers that nobody expects. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPortalLink, PortalUnreadable, readEndpoints } from '../../src/clerk/api/portal.ts'
import { type BackendApi, createSimulatedClerk, startBackendApi } from '../../src/testing/index.ts'
import { serveHttp } from '../support/http.ts'

let api: BackendApi
beforeAll(async () => {
  api = await startBackendApi(createSimulatedClerk({}))
})
afterAll(() => api.close())

const access = (apiUrl = api.url) => ({
  secretKey: api.secretKey,
  apiUrl,
  apiVersion: '2026-05-12',
  timeoutMs: 2_000,
})

it('are read with their types, and whether they are disabled', async () => {
  expect(await readEndpoints(access())).toEqual([
    { url: 'https://app.example.com/api/webhooks/clerk', isDisabled: false, types: null },
  ])
  api.webhookEndpoints = [{ url: 'https://a.example/x', disabled: true, filterTypes: ['user.created'] }]
  expect(await readEndpoints(access())).toEqual([
    { url: 'https://a.example/x', isDisabled: true, types: ['user.created'] },
  ])
})

it('are none, and there is no link, where webhooks were never set up', async () => {
  api.webhookEndpoints = []
  expect([await readEndpoints(access()), await createPortalLink(access())]).toEqual([[], null])
})

it.each(['server_error', 'dropped', 'html_page', 'truncated', 'throttled'] as const)(
  'are not known when Clerk’s answer is %s, and no link is shown',
  async (fault) => {
    api.webhookEndpoints = [{ url: 'https://a.example/x' }]
    api.failNext(fault, { path: '/webhooks/svix_url' })
    await expect(readEndpoints(access())).rejects.toMatchObject({
      code: expect.stringMatching(/^api_(unavailable|throttled)$/),
      message: expect.not.stringContaining('#key='),
    })
  },
)

const linkTo = (key: unknown) =>
  `http://127.0.0.1:9/login#key=${Buffer.from(JSON.stringify(key)).toString('base64')}`

it.each<[what: string, link: string]>([
  ['no key', 'https://app.svix.com/login'],
  ['a key that is no JSON', 'https://app.svix.com/login#key=AAAA'],
  ['no token', linkTo({ appId: 'app_1', region: 'us' })],
  ['a region that would lead elsewhere', linkTo({ appId: 'app_1', oneTimeToken: 'x', region: '../..' })],
  [
    'an address without TLS',
    linkTo({ appId: 'app_1', oneTimeToken: 'x', region: 'us' }).replace('127.0.0.1', 'app.svix.com'),
  ],
  ['an address that does not answer', linkTo({ appId: 'app_1', oneTimeToken: 'x', region: 'us' })],
])('are unreadable by a link with %s', async (_, svix_url) => {
  const url = await serveHttp((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ svix_url }))
  })
  await expect(readEndpoints(access(url))).rejects.toBeInstanceOf(PortalUnreadable)
})
