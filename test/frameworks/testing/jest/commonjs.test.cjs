const { createVerifier } = require('clerk-sync')
const { createSigningSecret, sampleEvent, signDelivery } = require('clerk-sync/testing')

test('a signed sample is a delivery, in CommonJS', async () => {
  const secret = createSigningSecret()
  const { body, headers } = signDelivery(sampleEvent('user.created'), { secret })
  const { event } = await createVerifier({ signingSecret: secret })(body, headers)
  expect(event.type).toBe('user.created')
})
