const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createVerifier } = require('clerk-sync')
const { createSigningSecret, sampleEvent, signDelivery } = require('clerk-sync/testing')

test('a signed sample is a delivery', async () => {
  const secret = createSigningSecret()
  const { body, headers } = signDelivery(sampleEvent('user.created'), { secret })
  const { event } = await createVerifier({ signingSecret: secret })(body, headers)
  assert.equal(event.type, 'user.created')
})
