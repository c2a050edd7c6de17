import { createSecretKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createVerifier } from '../../src/index.ts'
import { sign } from '../../src/webhook/signature.ts'
import { silent } from '../support/databases.ts'
import { DISAGREEMENTS, disagreementTable } from './disagreements.ts'
import { acceptedBy, JUDGE_NAMES, type SignedMessage } from './judges.ts'
import { bodyOf, headersOf, type Vector, vectors } from './vectors.ts'

const NOW = 1_800_000_000

const secret = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .filter((bytes) => new Set(bytes).size > 1)
  .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/)
/** Lone surrogates have no UTF-8. */
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }).filter((each) => each.isWellFormed())
const json = fc
  .record({ type: text, data: fc.dictionary(text, fc.jsonValue()) })
  .map((each) => JSON.stringify(each))
const time = fc.integer({ min: NOW - 300, max: NOW + 300 })
const message = fc.record({ secret, id, time, body: fc.oneof(text, json) })

function headers(svixId: string, timestamp: number, signature: string): Record<string, string> {
  return { 'svix-id': svixId, 'svix-timestamp': String(timestamp), 'svix-signature': signature }
}

function verify(body: Uint8Array, sent: Record<string, string>, ...signingSecret: string[]) {
  return createVerifier({ signingSecret, now: () => NOW * 1000, log: silent })(body, sent)
}

describe('beside the packages of others', () => {
  it.each([
    ['svix', SvixWebhook],
    ['standardwebhooks', StandardWebhook],
  ] as const)('accepts everything that %s signs', async (_, Webhook) => {
    await fc.assert(
      fc.asyncProperty(message, async ({ secret, id, time, body }) => {
        const signature = new Webhook(secret).sign(id, new Date(time * 1000), body)
        const delivery = await verify(Buffer.from(body), headers(id, time, signature), secret)
        expect(delivery.svixId).toBe(id)
        expect(delivery.attemptedAt).toEqual(new Date(time * 1000))
        expect(Buffer.from(delivery.rawBody).toString()).toBe(body)
      }),
      { numRuns: 300 },
    )
  })

  it('refuses what was changed after svix had signed it', async () => {
    const change = fc.constantFrom(
      'secret',
      'id',
      'time',
      'a byte of the body',
      'the end of the body',
      'signature',
    )
    await fc.assert(
      fc.asyncProperty(message, change, fc.nat(), async (signed, changed, at) => {
        const { secret, id, time, body } = signed
        const signature = new SvixWebhook(secret).sign(id, new Date(time * 1000), body)
        const bytes = Buffer.from(body)
        const sent = headers(id, time, signature)
        if (changed === 'id') sent['svix-id'] = id.length < 128 ? `${id}x` : id.slice(1)
        if (changed === 'time') sent['svix-timestamp'] = String(time === NOW ? NOW + 1 : NOW)
        if (changed === 'signature')
          sent['svix-signature'] = signature.replace(/.(?==)/, (last) => (last === 'A' ? 'E' : 'A'))
        // Stays UTF-8: only the signature can tell.
        if (changed === 'a byte of the body')
          bytes[at % bytes.length] = (bytes[at % bytes.length] as number) === 97 ? 98 : 97
        const received = changed === 'the end of the body' ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes
        const other =
          changed === 'secret' ? `whsec_${Buffer.from(`another secret${secret}`).toString('base64')}` : secret
        const code = expect.stringMatching(/^signature_mismatch$|^body_not_utf8$/)
        await expect(verify(received, sent, other)).rejects.toMatchObject({ code, status: 400 })
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with all of them on lists of signatures', async () => {
    const base64 = fc
      .uint8Array({ minLength: 0, maxLength: 40 })
      .map((bytes) => Buffer.from(bytes).toString('base64'))
    const version = fc.constantFrom('v1', 'v1a', 'v2', 'v0', 'v11', '')
    const noise = fc.tuple(version, base64).map((parts) => parts.join(','))
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          secret,
          id,
          body: json,
          before: fc.array(noise),
          after: fc.array(noise),
          isSigned: fc.boolean(),
        }),
        async ({ secret, id, body, before, after, isSigned }) => {
          const now = Math.floor(Date.now() / 1000)
          const good = new SvixWebhook(secret).sign(id, new Date(now * 1000), body)
          const list = [...before, ...(isSigned ? [good] : []), ...after].join(' ')
          const sent: SignedMessage = { secret, body: Buffer.from(body), headers: headers(id, now, list) }
          const ours = createVerifier({ signingSecret: secret, log: silent })(sent.body, sent.headers)
          const isAccepted = await ours.then(
            () => true,
            () => false,
          )
          expect(isAccepted).toBe(isSigned)
          expect(await acceptedBy(sent)).toEqual(isSigned ? JUDGE_NAMES : [])
        },
      ),
      { numRuns: 200 },
    )
  })

  it('signs what all of them accept', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ secret, id, body: json }), async ({ secret, id, body }) => {
        const now = Math.floor(Date.now() / 1000)
        const key = createSecretKey(Buffer.from(secret.slice('whsec_'.length), 'base64'))
        const signature = sign(id, now, Buffer.from(body), key)
        const sent = { secret, body: Buffer.from(body), headers: headers(id, now, `v1,${signature}`) }
        expect(await acceptedBy(sent)).toEqual(JUDGE_NAMES)
      }),
      { numRuns: 200 },
    )
  })
})

describe('where their verdict on a vector differs', () => {
  afterEach(() => vi.useRealTimers())

  async function verdictsOn(vector: Vector): Promise<string[]> {
    vi.useFakeTimers({ toFake: ['Date'], now: Math.round(vector.now * 1000) })
    const [headers, body] = [headersOf(vector), bodyOf(vector)]
    const verifyOurs = async () =>
      createVerifier({ signingSecret: vector.secrets, log: silent })(body, headers)
    const ours = await verifyOurs().then(
      () => ['clerk-sync'],
      () => [],
    )
    return [...ours, ...(await acceptedBy({ secret: vector.secrets[0] as string, headers, body }))]
  }

  it.each(vectors.map((vector) => [vector.id, vector] as const))(
    '%s: it is listed with its reason',
    async (id, vector) => {
      const acceptedByWhom = await verdictsOn(vector)
      const isUnanimous = acceptedByWhom.length === 0 || acceptedByWhom.length === 1 + JUDGE_NAMES.length
      expect(isUnanimous ? undefined : acceptedByWhom).toEqual(DISAGREEMENTS[id]?.acceptedBy.slice())
    },
  )

  it('lists no vector that does not exist', () => {
    const ids = new Set(vectors.map((vector) => vector.id))
    expect(Object.keys(DISAGREEMENTS).filter((listed) => !ids.has(listed))).toEqual([])
  })

  it('shows the same list in docs/verification.md', async () => {
    const page = await readFile(new URL('../../docs/verification.md', import.meta.url), 'utf8')
    const table = page.slice(page.indexOf('| What is sent |')).trimEnd()
    expect(table).toBe(disagreementTable())
  })
})
