/** Whatever bytes come: verification answers with a code, and reading never throws and agrees with `JSON.parse`. */

import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_JSON_DEPTH, readContent } from '../../src/clerk/event.ts'
import { scanElements, scanJson } from '../../src/clerk/json-scan.ts'
import { ClerkSyncError, createVerifier } from '../../src/index.ts'
import { SECRET } from '../support/databases.ts'
import { sign } from '../support/deliveries.ts'

const FOLDER = new URL('../fixtures/hostile-bodies/', import.meta.url)
const CORPUS = readdirSync(FOLDER).map((name) => ({ name, bytes: readFileSync(new URL(name, FOLDER)) }))
const RUNS = { numRuns: 2_000 }

const verify = createVerifier({ signingSecret: SECRET })

/** A body of the corpus with bytes changed, removed and put in, as a fuzzer makes them. */
const mutated = fc
  .tuple(
    fc.constantFrom(...CORPUS.filter(({ bytes }) => bytes.length < 5_000)),
    fc.array(
      fc.record({
        at: fc.nat(5_000),
        remove: fc.nat(3),
        put: fc.oneof(
          fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', ',', '\u0000', '\ud800', 'data'),
          fc.string(),
        ),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([{ bytes }, changes]) =>
    changes.reduce((text, { at, remove, put }) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + put + text.slice(place + remove)
    }, bytes.toString()),
  )

/** JSON with keys and values that readers stumble over. */
const awkward = fc.json({ stringUnit: 'binary', maxDepth: 6 })
const anyBody = fc.oneof(mutated, awkward, fc.string({ unit: 'binary' }))

/** What `JSON.parse` makes of it; undefined for what it refuses. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function expectSoundReading(bytes: Buffer): void {
  const content = readContent(bytes)
  const value = parsed(bytes.toString())
  if (content.event === null) {
    if (content.unusable === 'bad_json') expect(value).toBeUndefined()
    return
  }
  expect(content.event).toEqual(value)
  expect(JSON.parse(Buffer.from(content.rawData).toString())).toEqual((value as { data: unknown }).data)
}

describe('reading', () => {
  it.each(CORPUS.map((each) => [each.name, each.bytes] as const))('takes %s for what it is', (_, bytes) => {
    expectSoundReading(bytes)
  })

  it('never throws, and finds the data that JSON.parse finds, in any text', () => {
    fc.assert(
      fc.property(anyBody, (text) => expectSoundReading(Buffer.from(text))),
      RUNS,
    )
  })

  it('never throws for bytes that are no text', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
    fc.assert(fc.property(bytes, expectSoundReading), RUNS)
  })

  it('finds the elements that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(awkward), fc.constantFrom('', ' ', '\n\t'), (elements, space) => {
        const list = `${space}[${elements.map((each) => space + each + space).join(',')}]${space}`
        const found = scanElements(Buffer.from(list)).map((each) => JSON.parse(Buffer.from(each).toString()))
        expect(found).toEqual(JSON.parse(list))
      }),
      RUNS,
    )
  })

  it('stops at the depth that it allows, and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 * MAX_JSON_DEPTH }), (depth) => {
        const text = Buffer.from('['.repeat(depth) + ']'.repeat(depth))
        expect(scanJson(text, 'data', MAX_JSON_DEPTH).tooDeep).toBe(depth > MAX_JSON_DEPTH)
      }),
    )
  })
})

describe('verifying', () => {
  const codeOf = async (body: Uint8Array, headers: Record<string, string>) =>
    verify(body, headers).then(
      () => 'verified',
      (error) => {
        expect(error).toBeInstanceOf(ClerkSyncError)
        expect(error).toMatchObject({
          status: expect.toSatisfy((status: number) => status >= 400 && status < 500),
        })
        return (error as ClerkSyncError).code as string
      },
    )

  it.each(CORPUS.map((each) => [each.name, each.bytes] as const))(
    'takes %s when it is signed',
    async (_, bytes) => {
      expect(await codeOf(bytes, sign(bytes.toString()).headers)).toBe('verified')
    },
  )

  it('takes any text that is signed, and not with a byte changed', async () => {
    const changed = fc.tuple(
      anyBody.filter((text) => text.isWellFormed() && text !== ''),
      fc.nat(),
      fc.nat(6),
    )
    await fc.assert(
      fc.asyncProperty(changed, async ([text, at, bit]) => {
        const { headers, body } = sign(text)
        const bytes = Buffer.from(body)
        expect(await codeOf(bytes, headers)).toBe('verified')
        const place = at % bytes.length
        bytes[place] = (bytes[place] as number) ^ (1 << bit)
        expect(await codeOf(bytes, headers)).toMatch(/^(signature_mismatch|body_not_utf8)$/)
      }),
      { numRuns: 500 },
    )
  })

  it('refuses any headers by a code, and never throws anything else', async () => {
    const { headers, body } = sign('{}')
    const names = [...Object.keys(headers), 'webhook-id', 'content-length', 'content-encoding', '__proto__']
    const odd = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' }), {
      noNullPrototype: false,
    })
    await fc.assert(
      fc.asyncProperty(odd, async (changes) => {
        const code = await codeOf(Buffer.from(body), { ...headers, ...changes })
        if (code === 'verified') expect({ ...headers, ...changes }).toMatchObject(headers)
      }),
      RUNS,
    )
  })
})
