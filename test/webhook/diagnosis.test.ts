import { createHmac } from 'node:crypto'
import { Webhook } from 'svix'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveConfig } from '../../src/config.ts'
import { MISMATCH_CAUSES } from '../../src/explanations/mismatch-causes.ts'
import { ClerkSyncError, createClerkSync, type VerifierOptions } from '../../src/index.ts'
import { toVerifyOptions } from '../../src/verifier.ts'
import { verify } from '../../src/webhook/verify.ts'
import { SECRET, silent } from '../support/databases.ts'
import { sign } from '../support/deliveries.ts'

const OTHER_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
const EVENT = {
  type: 'user.created',
  data: { id: 'user_1', name: 'Zoë 🎈', site: 'https://a/b', list: [1, [], {}] },
}
const COMPACT = JSON.stringify(EVENT)
const AT = new Date(1_800_000_000_000)

type Headers = Record<string, string>

interface Sent {
  readonly body?: string | Uint8Array
  readonly headers?: Headers
  readonly environment?: Record<string, string>
}

/** What a receiver finds out about a request; by default the one that is right. */
async function refusalOf(sent: Sent, options: VerifierOptions = {}): Promise<ClerkSyncError> {
  return refusalBy(receiver(options, sent.environment), sent)
}

function receiver(options: VerifierOptions = {}, environment: Record<string, string> = {}) {
  const given = { signingSecret: SECRET, now: () => AT.getTime(), log: silent, ...options }
  return toVerifyOptions(resolveConfig(given, environment))
}

async function refusalBy(
  options: ReturnType<typeof receiver>,
  { body = COMPACT, headers = signed(COMPACT) }: Sent,
) {
  const error = await verify(body, headers, options).catch((caught) => caught)
  expect(error).toBeInstanceOf(ClerkSyncError)
  expect(error.code).toBe('signature_mismatch')
  return error as ClerkSyncError
}

function signed(body: string, secret = SECRET): Headers {
  return sign(body, { at: AT, id: 'msg_1', secret }).headers
}

/** A sender of one's own, with what it signs and how. */
function signedBy(key: string | Buffer, content: string, encoding: 'base64' | 'hex' = 'base64'): Headers {
  const signature = createHmac('sha256', key).update(content).digest(encoding)
  return { ...signed(COMPACT), 'svix-signature': `v1,${signature}` }
}

const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64')
const CONTENT = `msg_1.${AT.getTime() / 1000}.${COMPACT}`
const python = '{"a": 1, "b": [1, 2], "c": {"d": "x, y: {z}"}}'
const tampered = (changes: Headers): Headers => ({ ...signed(COMPACT), ...changes })

const CASES: readonly (readonly [what: string, mismatchCause: string, sent: Sent, says?: string])[] = [
  [
    'the secret of another variable',
    'other_secret',
    { headers: signed(COMPACT, OTHER_SECRET), environment: { CLERK_WEBHOOK_SECRET: OTHER_SECRET } },
    'CLERK_WEBHOOK_SECRET',
  ],
  [
    'a secret under a name of one’s own',
    'other_secret',
    { headers: signed(COMPACT, OTHER_SECRET), environment: { STAGING_HOOK: OTHER_SECRET } },
    'STAGING_HOOK',
  ],
  [
    'a secret without its prefix',
    'other_secret',
    { headers: signed(COMPACT, OTHER_SECRET), environment: { WEBHOOK_SECRET: OTHER_SECRET.slice(6) } },
    'WEBHOOK_SECRET',
  ],
  [
    'a secret in quotes and white space',
    'other_secret',
    { headers: signed(COMPACT, OTHER_SECRET), environment: { SVIX_SECRET: ` "${OTHER_SECRET}"\n` } },
    'SVIX_SECRET',
  ],
  ['a secret that was not decoded', 'secret_not_decoded', { headers: signedBy(SECRET, CONTENT) }],
  [
    'a secret that was not decoded, without its prefix',
    'secret_not_decoded',
    { headers: signedBy(SECRET.slice(6), CONTENT) },
  ],
  [
    'the API key',
    'secret_not_decoded',
    { headers: signedBy('sk_test_abc', CONTENT), environment: { CLERK_SECRET_KEY: 'sk_test_abc' } },
    'CLERK_SECRET_KEY',
  ],
  ['a signature in hex', 'signature_misspelt', { headers: signedBy(KEY, CONTENT, 'hex') }],
  [
    'a signature without its version',
    'signature_misspelt',
    { headers: tampered({ 'svix-signature': signed(COMPACT)['svix-signature']?.slice(3) as string }) },
  ],
  [
    'a signature of the body alone',
    'content_misspelt',
    { headers: signedBy(KEY, COMPACT) },
    'the body alone',
  ],
  [
    'a signature of timestamp and body',
    'content_misspelt',
    { headers: signedBy(KEY, CONTENT.slice('msg_1.'.length)) },
    'timestamp.body',
  ],
  [
    'a time that was taken twice',
    'timestamp_changed',
    { headers: tampered({ 'svix-timestamp': String(AT.getTime() / 1000 + 3) }) },
  ],
  [
    'a time in milliseconds',
    'timestamp_changed',
    { headers: tampered({ 'svix-timestamp': String(AT.getTime()) }) },
  ],
  [
    'an id of the other family',
    'headers_mixed',
    { headers: tampered({ 'svix-id': 'msg_2', 'webhook-id': 'msg_1' }) },
  ],
  [
    'a body that was pretty-printed',
    'body_reserialised',
    { body: JSON.stringify(EVENT, null, 2) },
    'compact JSON',
  ],
  [
    'a body that was minified',
    'body_reserialised',
    { headers: signed(JSON.stringify(EVENT, null, 4)) },
    'indented by 4 spaces',
  ],
  [
    'a body that lost its escapes',
    'body_reserialised',
    { headers: signed(COMPACT.replace('ë', '\\u00eb').replace('🎈', '\\ud83c\\udf88')) },
    '\\u escapes',
  ],
  [
    'a body that lost its escaped slashes',
    'body_reserialised',
    { headers: signed(COMPACT.replaceAll('/', '\\/')) },
    '\\/ for /',
  ],
  [
    'a body that lost its spaces',
    'body_reserialised',
    { body: JSON.stringify(JSON.parse(python)), headers: signed(python) },
    'after each comma and colon',
  ],
  [
    'a body in base64',
    'body_base64',
    { body: Buffer.from(COMPACT).toString('base64') },
    'still encoded as base64',
  ],
  ['a body in the base64 of addresses', 'body_base64', { body: Buffer.from(COMPACT).toString('base64url') }],
  ['a body that was stringified twice', 'body_encoded_twice', { body: JSON.stringify(COMPACT) }],
  ['a buffer that was stringified', 'body_encoded_twice', { body: JSON.stringify(Buffer.from(COMPACT)) }],
  ['a newline at the end', 'body_blanks_changed', { body: `${COMPACT}\n` }],
  ['a newline that was removed', 'body_blanks_changed', { headers: signed(`${COMPACT}\n`) }],
  ['white space around the body', 'body_blanks_changed', { body: `  ${COMPACT} \n` }],
  ['other line ends', 'body_blanks_changed', { body: '{\r\n"a":\r\n1}', headers: signed('{\n"a":\n1}') }],
  ['a byte order mark', 'body_mark_changed', { body: `\uFEFF${COMPACT}` }],
  ['a byte order mark that was removed', 'body_mark_changed', { headers: signed(`\uFEFF${COMPACT}`) }],
  [
    'UTF-8 that was read as Latin-1',
    'body_recoded',
    { body: Buffer.from(Buffer.from(COMPACT).toString('latin1')) },
  ],
]

describe('a signature that does not fit', () => {
  for (const [what, mismatchCause, sent, says = ''] of CASES) {
    it(`because of ${what} is ${mismatchCause}`, async () => {
      const error = await refusalOf(sent)
      expect(error).toMatchObject({
        mismatchCause,
        remedy: MISMATCH_CAUSES[mismatchCause as keyof typeof MISMATCH_CAUSES].remedy,
      })
      expect(error.message).toContain(MISMATCH_CAUSES[mismatchCause as keyof typeof MISMATCH_CAUSES].summary)
      expect(error.message).toContain(says)
    })
  }

  it.each<[what: string, also: keyof typeof MISMATCH_CAUSES, mismatchCause: string, sent: Sent]>([
    [
      'an undecoded secret over timestamp.body',
      'content_misspelt',
      'secret_not_decoded',
      { headers: signedBy(SECRET, CONTENT.slice('msg_1.'.length)) },
    ],
    [
      'an undecoded secret over the body alone',
      'content_misspelt',
      'secret_not_decoded',
      { headers: signedBy(SECRET.slice(6), COMPACT) },
    ],
    [
      'another secret over a body in base64',
      'body_base64',
      'other_secret',
      {
        body: Buffer.from(COMPACT).toString('base64'),
        headers: signed(COMPACT, OTHER_SECRET),
        environment: { MY_HOOK: OTHER_SECRET },
      },
    ],
    [
      'another secret over a body that was parsed',
      'body_reserialised',
      'other_secret',
      {
        body: JSON.stringify(EVENT, null, 2),
        headers: signed(COMPACT, OTHER_SECRET),
        environment: { MY_HOOK: OTHER_SECRET },
      },
    ],
  ])('because of two faults names both: %s', async (_, also, mismatchCause, sent) => {
    const error = await refusalOf(sent)
    expect(error.mismatchCause).toBe(mismatchCause)
    expect(error.message).toContain(`also ${also}`)
    expect(error.remedy).toContain(MISMATCH_CAUSES[also].remedy)
    expect(error.remedy).toContain(MISMATCH_CAUSES[mismatchCause as keyof typeof MISMATCH_CAUSES].remedy)
  })

  it('is provoked for every mismatchCause that there is', () => {
    expect(new Set(CASES.map(([, mismatchCause]) => mismatchCause))).toEqual(
      new Set(Object.keys(MISMATCH_CAUSES)),
    )
  })

  it.each([
    ['a secret that nobody here knows', { headers: signed(COMPACT, OTHER_SECRET) }],
    ['another body', { body: COMPACT.replace('user_1', 'user_2') }],
    ['another id', { headers: tampered({ 'svix-id': 'msg_2' }) }],
    ['a body that is no JSON', { body: 'no' }],
    ['JSON that is too deep to be written', { body: '['.repeat(20_000) + ']'.repeat(20_000) }],
    ['a signature that is none', { headers: tampered({ 'svix-signature': 'v1,' }) }],
  ])('because of %s has no mismatchCause, and the usual remedy', async (_, sent) => {
    const error = await refusalOf(sent)
    expect(error.mismatchCause).toBeUndefined()
    expect(error.remedy).toContain('another endpoint or instance')
  })

  it('never makes a request pass', async () => {
    for (const [, , sent] of CASES) await refusalOf(sent)
  })

  it('does not show the secret, nor the body', async () => {
    for (const [, , sent] of CASES) {
      const { message, remedy } = await refusalOf(sent)
      for (const hidden of [SECRET, OTHER_SECRET, 'sk_test_abc', 'user_1']) {
        expect(message + remedy).not.toContain(hidden.replace('whsec_', ''))
      }
    }
  })

  it('is looked into ten times a minute', async () => {
    let now = AT.getTime()
    const options = receiver({ now: () => now })
    const causes = async (count: number) => {
      const errors = []
      for (let i = 0; i < count; i++) errors.push(await refusalBy(options, { body: `${COMPACT}\n` }))
      return errors.filter((error) => error.mismatchCause).length
    }
    expect(await causes(30)).toBe(10)
    now += 60_000
    expect(await causes(30)).toBe(10)
  })

  it('is not looked into for a large body, and costs little for one just below', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(64 * 1024) })
    expect(await refusalOf({ body: `${large}\n`, headers: signed(large) })).toMatchObject({
      mismatchCause: undefined,
    })
    const list = JSON.stringify(Array(19_000).fill({}))
    const before = process.cpuUsage()
    const error = await refusalOf({ body: `${list}\n`, headers: signed(list) })
    const { user, system } = process.cpuUsage(before)
    expect(error.mismatchCause).toBe('body_blanks_changed')
    expect((user + system) / 1_000).toBeLessThan(250)
  })
})

describe('the answer to a request that is no delivery', () => {
  it('is generic, with a reference to the line of the log that tells the rest', async () => {
    const lines: { ref: string; mismatchCause?: string; message: string }[] = []
    const log = { ...silent, warn: (fields: object) => void lines.push(fields as never) }
    const sync = createClerkSync({ signingSecret: SECRET, database: 'memory://', log })
    onTestFinished(() => sync.close())
    const post = async (body: string, signedBody: string) => {
      const headers = new Webhook(SECRET).sign('msg_1', new Date(), signedBody)
      const request = new Request('http://localhost/', {
        method: 'POST',
        headers: {
          'svix-id': 'msg_1',
          'svix-timestamp': String(Math.floor(Date.now() / 1000)),
          'svix-signature': headers,
        },
        body,
      })
      return (await sync.fetch(request)).json() as Promise<{ error: string; ref: string }>
    }
    const answers = [
      await post(`${COMPACT}\n`, COMPACT),
      await post(`${COMPACT}\n`, COMPACT),
      await post(JSON.stringify(EVENT, null, 2), COMPACT),
      await post('{}', COMPACT),
    ]
    for (const answer of answers) {
      expect(answer).toEqual({
        error: 'signature_mismatch',
        ref: expect.stringMatching(/^rej_[0-9a-f]{12}$/),
      })
    }
    // The second is one of a flood of its kind: its line is that of the first.
    expect(answers[1]?.ref).toBe(answers[0]?.ref)
    const told = answers.map(({ ref }) => lines.find((line) => line.ref === ref)?.mismatchCause)
    expect(told).toEqual(['body_blanks_changed', 'body_blanks_changed', 'body_reserialised', undefined])
    expect(lines).toHaveLength(3)
  })
})
