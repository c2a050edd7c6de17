import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createVerifier, type VerifierOptions } from '../../src/index.ts'
import { SECRET, silent } from '../support/databases.ts'
import { type SignOptions, sign } from '../support/deliveries.ts'

const NOW = 1_800_000_000
const OTHER_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const THIRD_SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX'

const EVENT = { type: 'user.created', data: { id: 'user_1' } }

function verify(options: VerifierOptions, { at = new Date(NOW * 1000), ...signing }: SignOptions = {}) {
  const { body, headers } = sign(EVENT, { at, ...signing })
  const verifier = createVerifier({ signingSecret: SECRET, now: () => NOW * 1000, log: silent, ...options })
  return verifier(Buffer.from(body), headers)
}

const ago = (seconds: number) => new Date((NOW - seconds) * 1000)

describe('the time of a delivery', () => {
  it.each([-300, -299, 0, 299, 300])('may be %i seconds old', async (seconds) => {
    expect(await verify({}, { at: ago(seconds) })).toMatchObject({ attemptedAt: ago(seconds) })
  })

  it.each([
    [301, 'timestamp_too_old', 'differ by 301 seconds, 300 are allowed'],
    [86_400, 'timestamp_too_old', 'differ by 86400 seconds'],
    [-301, 'timestamp_too_new', 'differ by 301 seconds, 300 are allowed'],
    [-7_200, 'timestamp_too_new', 'differ by 7200 seconds'],
  ])('of %i seconds is refused, saying by how much the clocks differ', async (seconds, code, detail) => {
    await expect(verify({}, { at: ago(seconds) })).rejects.toMatchObject({
      code,
      status: 400,
      message: expect.stringContaining(detail),
      remedy: expect.stringContaining('NTP'),
    })
  })

  it('is compared in whole seconds', async () => {
    const lateInTheSecond = () => NOW * 1000 + 999
    expect(await verify({ now: lateInTheSecond }, { at: ago(300) })).toMatchObject({ event: EVENT })
    await expect(verify({ now: lateInTheSecond }, { at: ago(301) })).rejects.toMatchObject({
      code: 'timestamp_too_old',
    })
  })

  it('is compared with the tolerance that was set', async () => {
    expect(await verify({ toleranceSeconds: 3_600 }, { at: ago(3_600) })).toBeDefined()
    await expect(verify({ toleranceSeconds: 1 }, { at: ago(2) })).rejects.toMatchObject({
      message: expect.stringContaining('differ by 2 seconds, 1 are allowed'),
    })
  })

  it('says nothing about clocks under a wrong signature', async () => {
    const forged = verify({}, { at: ago(86_400), secret: OTHER_SECRET })
    await expect(forged).rejects.toMatchObject({ code: 'signature_mismatch' })
  })
})

describe('several secrets', () => {
  const both = [SECRET, OTHER_SECRET]

  it.each([
    ['a list', both],
    ['text with commas', both.join(',')],
    ['text with commas and spaces', both.join(' , ')],
  ])('given as %s each verify', async (_, signingSecret) => {
    for (const secret of both) expect(await verify({ signingSecret }, { secret })).toBeDefined()
  })

  it('verify nothing that none of them made', async () => {
    await expect(verify({ signingSecret: both }, { secret: THIRD_SECRET })).rejects.toMatchObject({
      code: 'signature_mismatch',
    })
  })

  it('verify a delivery that was signed with several, in any order', async () => {
    const signed = [THIRD_SECRET, OTHER_SECRET].map((secret) =>
      sign(EVENT, { id: 'msg_both', secret, at: ago(0) }),
    )
    for (const order of [signed, signed.toReversed()]) {
      const headers = {
        ...signed[0]?.headers,
        'svix-signature': order.map((each) => each.headers['svix-signature']).join(' '),
      }
      const verifier = createVerifier({ signingSecret: both, now: () => NOW * 1000, log: silent })
      expect(await verifier(signed[0]?.body as string, headers)).toMatchObject({ svixId: 'msg_both' })
    }
  })

  it('are all read at start: one bad one stops it', () => {
    expect(() => createVerifier({ signingSecret: [SECRET, 'whsec_dGVzdA=='], log: silent })).toThrow(
      expect.objectContaining({ code: 'secret_too_short' }),
    )
  })
})

describe('an error', () => {
  it('never repeats the body or the headers', async () => {
    const { body, headers } = sign({ canary: 'payload-canary' }, { id: 'msg_canary', at: ago(9_999) })
    const signature = headers['svix-signature'] as string
    const sent: [string | Uint8Array, Record<string, string>][] = [
      [body, headers],
      [`${body} `, headers],
      [body, { ...headers, 'svix-id': 'id canary' }],
      [body, { ...headers, 'svix-timestamp': 'time-canary' }],
      [body, { ...headers, 'svix-signature': 'v1,signature-canary' }],
      [Buffer.concat([Buffer.from(body), Buffer.from([0xff])]), headers],
      [body.repeat(100), headers],
    ]
    const verifier = createVerifier({
      signingSecret: SECRET,
      maxBodyBytes: 100,
      now: () => NOW * 1000,
      log: silent,
    })
    for (const [sentBody, sentHeaders] of sent) {
      const error = await verifier(sentBody, sentHeaders).catch((thrown) => thrown)
      expect(error).toMatchObject({ name: 'ClerkSyncError' })
      const everything = inspect(error, { depth: 10, showHidden: true })
      expect(everything).not.toContain('canary')
      expect(everything).not.toContain(signature.slice(3))
    }
  })
})
