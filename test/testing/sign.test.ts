import { Webhook } from 'svix'
import { expect, it } from 'vitest'
import { createVerifier } from '../../src/index.ts'
import { createSigningSecret, sampleEvent, signDelivery } from '../../src/testing/index.ts'
import { createSvixId } from '../../src/testing/sign.ts'
import { SECRET } from '../support/databases.ts'

const text = (body: Uint8Array) => Buffer.from(body).toString()

it('signs what the svix package verifies', () => {
  const { headers, body } = signDelivery(sampleEvent('user.created'), { secret: SECRET })
  expect(() => new Webhook(SECRET).verify(text(body), headers)).not.toThrow()
  expect(() => new Webhook(SECRET).verify(`${text(body)} `, headers)).toThrow()
})

it('signs what the package itself verifies', async () => {
  const secret = createSigningSecret()
  const verify = createVerifier({ signingSecret: secret })
  const { svixId, headers, body } = signDelivery(sampleEvent('sms.created'), { secret })
  await expect(verify(body, headers)).resolves.toMatchObject({ svixId, event: { type: 'sms.created' } })
})

it('signs with each of several secrets', () => {
  const other = createSigningSecret()
  const { headers, body } = signDelivery('{}', { secret: [SECRET, other] })
  for (const secret of [SECRET, other]) {
    expect(() => new Webhook(secret).verify(text(body), headers)).not.toThrow()
  }
  expect(() => new Webhook(createSigningSecret()).verify(text(body), headers)).toThrow()
})

it('signs text and bytes as they are', () => {
  const spelled = '{ "type" : "user.created" }\n'
  expect(text(signDelivery(spelled, { secret: SECRET }).body)).toBe(spelled)
  expect(text(signDelivery(Buffer.from(spelled), { secret: SECRET }).body)).toBe(spelled)
})

it('takes the id and the time of the attempt', () => {
  const at = new Date('2026-01-01T12:00:00.999Z')
  const { svixId, headers } = signDelivery('{}', { secret: SECRET, svixId: 'msg_mine', at })
  expect(svixId).toBe('msg_mine')
  expect(headers).toMatchObject({ 'svix-id': 'msg_mine', 'svix-timestamp': '1767268800' })
})

it('makes fresh ids that look like those of Svix and sort by age', async () => {
  const first = createSvixId()
  await new Promise((resolve) => setTimeout(resolve, 1_001))
  const second = createSvixId()
  expect(first).toMatch(/^msg_[0-9A-Za-z]{27}$/)
  expect(second > first).toBe(true)
  expect(new Set(Array.from({ length: 1_000 }, createSvixId)).size).toBe(1_000)
})

it('makes fresh secrets', () => {
  expect(createSigningSecret()).toMatch(/^whsec_[0-9A-Za-z+/]{32}$/)
  expect(createSigningSecret()).not.toBe(createSigningSecret())
})

it('refuses a malformed secret by name', () => {
  expect(() => signDelivery('{}', { secret: 'whsec_test' })).toThrow(
    expect.objectContaining({ code: 'secret_too_short' }),
  )
})
