import { expect, it } from 'vitest'
import { createDashboardHandler } from '../../src/dashboard/index.ts'
import { ClerkSyncError } from '../../src/errors.ts'
import { describeRequest } from '../../src/ingest/refused-request.ts'
import { ask } from '../dashboard/client.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'

const ERROR = new ClerkSyncError('signature_mismatch')
const bytes = (text: string) => new TextEncoder().encode(text)

it('hides what may be a credential, and personal data wherever the text is cut', () => {
  const body = bytes(
    `{"first_name":"Ada","note":"call ada@example.com","last_name":"Love${'l'.repeat(3_000)}`,
  )
  const described = describeRequest(ERROR, {
    headers: {
      'User-Agent': 'Svix-Webhooks/1',
      authorization: 'Bearer geheim',
      cookie: 'session=geheim',
      'svix-signature': 'v1,geheim',
      'x-vercel-protection-bypass': 'geheim',
    },
    body,
  })
  expect(described).toMatchObject({
    headers: { 'user-agent': 'Svix-Webhooks/1', cookie: '•••', 'svix-signature': '•••' },
    bytes: body.byteLength,
    source: null,
    body: '{"first_name":"•••","note":"call a•••@example.com","last_name":"•••"',
  })
  expect(JSON.stringify(described)).not.toContain('geheim')
})

it('ends where the metadata begins', () => {
  const body = bytes('{"id":"org_1","public_metadata":{},"private_metadata":{"plan":"gold"},"x":1}')
  const described = describeRequest(ERROR, { headers: {}, body })
  expect(described.body).toBe('{"id":"org_1","public_metadata":{},"private_metadata":•••')
})

it('keeps nothing that Postgres refuses to store', () => {
  const { body } = describeRequest(ERROR, { headers: {}, body: bytes(`\u0000${'x'.repeat(499)}😀`) })
  expect(body).toBe(`${'x'.repeat(499)}\ufffd`)
})

describeEachDatabase('a rejected request', (database) => {
  it('is shown with its headers, its size, where it came from, how it begins and what was found', async () => {
    const sync = await database.open()
    const event = eventOf('user.created', { first_name: 'Zelda' })
    const { headers, body } = sign(event, { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx' })
    await sync.check()
    await sync.handle({ method: 'POST', headers, body, remoteAddress: '203.0.113.7' })
    await sync.handle({ method: 'POST', headers: {}, body, remoteAddress: '203.0.113.8' })
    const handler = createDashboardHandler(sync)
    const groups = async () => (await ask(handler, 'GET rejected')).groups
    await expect.poll(async () => (await groups()).length, { timeout: 10_000 }).toBe(2)
    const byCode = new Map((await groups()).map((group) => [group.code, group.samples[0]?.request]))
    expect(byCode.get('signature_mismatch')).toMatchObject({
      source: '203.0.113.7',
      bytes: bytes(JSON.stringify(event)).byteLength,
      headers: { 'svix-id': expect.any(String), 'svix-signature': '•••' },
      body: expect.stringMatching(/^\{/),
    })
    expect(byCode.get('signature_mismatch')?.body).not.toContain('Zelda')
    expect(byCode.get('headers_missing')).toMatchObject({ source: '203.0.113.8', body: null })
  })
})
