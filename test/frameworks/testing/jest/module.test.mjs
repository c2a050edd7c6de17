import { createVerifier } from 'clerk-sync'
import { createSigningSecret, sampleEvent, signDelivery } from 'clerk-sync/testing'

test('a signed sample is a delivery, in an ES module', async () => {
  const secret = createSigningSecret()
  const { body, headers } = signDelivery(sampleEvent('user.created'), { secret })
  const { event } = await createVerifier({ signingSecret: secret })(body, headers)
  expect(event.type).toBe('user.created')
})
