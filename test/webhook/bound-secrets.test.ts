/** Secrets that are bound to a Clerk instance: who may sign for whom. */

import { describe, expect, it } from 'vitest'
import { createVerifier, type VerifierOptions } from '../../src/index.ts'
import { SECRET, silent } from '../support/databases.ts'
import { sign } from '../support/deliveries.ts'

const DEVELOPMENT = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const PRODUCTION = SECRET
const UNBOUND = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX'
const BOTH = [
  { secret: DEVELOPMENT, instanceId: 'ins_development' },
  { secret: PRODUCTION, instanceId: 'ins_production' },
]

function verify(signingSecret: VerifierOptions['signingSecret'], secret: string, instanceId?: string) {
  const event = {
    type: 'user.created',
    data: { id: 'user_1' },
    ...(instanceId && { instance_id: instanceId }),
  }
  const { body, headers } = sign(event, { secret })
  return createVerifier({ signingSecret, log: silent })(Buffer.from(body), headers)
}

describe('a bound secret', () => {
  it('signs for its instance', async () => {
    for (const { secret, instanceId } of BOTH)
      expect(await verify(BOTH, secret, instanceId)).toMatchObject({ event: { instance_id: instanceId } })
  })

  it('signs for no other instance, and the refusal names both', async () => {
    await expect(verify(BOTH, DEVELOPMENT, 'ins_production')).rejects.toMatchObject({
      code: 'secret_of_other_instance',
      status: 400,
      message: expect.stringContaining('the secret of ins_development signed an event of ins_production'),
      remedy: expect.stringContaining('delete it in Clerk'),
    })
    await expect(verify(BOTH, PRODUCTION, 'ins_never_heard_of')).rejects.toMatchObject({
      code: 'secret_of_other_instance',
    })
  })

  it('leaves its instance to no secret without one, which signs for all others', async () => {
    const secrets = [...BOTH, UNBOUND]
    await expect(verify(secrets, UNBOUND, 'ins_production')).rejects.toMatchObject({
      code: 'secret_of_other_instance',
      message: expect.stringContaining('a secret without an instance signed an event of ins_production'),
    })
    expect(await verify(secrets, UNBOUND, 'ins_staging')).toBeDefined()
    expect(await verify(secrets, UNBOUND)).toBeDefined()
  })

  it('makes an old message, which names no instance, one of its own', async () => {
    const { event } = await verify(BOTH, DEVELOPMENT)
    expect(event).toMatchObject({ instance_id: 'ins_development' })
    expect((await verify(UNBOUND, UNBOUND)).event).not.toHaveProperty('instance_id')
  })

  it('may be one of two while it is rotated', async () => {
    const rotating = [{ secret: UNBOUND, instanceId: 'ins_production' }, ...BOTH]
    for (const secret of [UNBOUND, PRODUCTION])
      expect(await verify(rotating, secret, 'ins_production')).toBeDefined()
  })

  it('counts where another secret signed too', async () => {
    const at = new Date()
    const event = { type: 'user.created', data: { id: 'user_1' }, instance_id: 'ins_production' }
    const [first, second] = [DEVELOPMENT, PRODUCTION].map((secret) =>
      sign(event, { id: 'msg_two', secret, at }),
    )
    const headers = {
      ...first?.headers,
      'svix-signature': `${first?.headers['svix-signature']} ${second?.headers['svix-signature']}`,
    }
    const verifier = createVerifier({ signingSecret: BOTH, log: silent })
    expect(await verifier(Buffer.from(first?.body ?? ''), headers)).toBeDefined()
  })

  it('has a form for the environment', async () => {
    const text = ` ins_development:${DEVELOPMENT} , ins_production:${PRODUCTION}`
    expect(await verify(text, PRODUCTION, 'ins_production')).toBeDefined()
    await expect(verify(text, DEVELOPMENT, 'ins_production')).rejects.toMatchObject({
      code: 'secret_of_other_instance',
    })
  })

  it('shows no id that is none', async () => {
    const wrong = verify(BOTH, DEVELOPMENT, '<script>')
    await expect(wrong).rejects.toMatchObject({ message: expect.stringContaining('a malformed id') })
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining('script') })
  })
})

describe('the option', () => {
  it.each([
    ['no instance id', [{ secret: SECRET, instanceId: 'production' }], 'must be an id such as ins_'],
    ['no secret', [{ instanceId: 'ins_a' }], 'must hold texts'],
    [
      'one secret for two instances',
      [
        { secret: SECRET, instanceId: 'ins_a' },
        { secret: SECRET, instanceId: 'ins_b' },
      ],
      'one secret is bound to ins_a and ins_b',
    ],
  ])('is refused with %s', (_, signingSecret, message) => {
    expect(() => createVerifier({ signingSecret: signingSecret as never, log: silent })).toThrow(message)
  })

  it('names the fault of a bound secret as of any other', () => {
    expect(() => createVerifier({ signingSecret: 'ins_a:sk_test_abc', log: silent })).toThrow(
      expect.objectContaining({ code: 'secret_is_api_key' }),
    )
  })
})
