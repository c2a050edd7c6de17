/** What is written anew because something was taken out of it has every number as Clerk sent it. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESOURCES } from '../../src/clerk/catalogue.ts'
import { type Delivery, readContent } from '../../src/clerk/event.ts'
import { mayBeRounded, parseExact } from '../../src/clerk/exact-json.ts'
import { Privacy, type PrivacyOptions } from '../../src/clerk/privacy.ts'
import type { Resource } from '../../src/clerk/resource.ts'
import { readEntry, withoutFieldsOfEvent, withoutShareOfBody } from '../../src/ingest/entry.ts'
import { fold } from '../../src/ingest/fold.ts'
import { observeItem, withoutShare } from '../../src/ingest/observation.ts'
import { maskJson } from '../../src/inspect/masking.ts'

const AT = new Date(1_800_000_000_000)
const USERS = RESOURCES.get('users') as Resource
const ADMISSION = { resources: new Set(RESOURCES.keys()), instanceIds: new Set<string>() }
const RUNS = { numRuns: 300 }

const digits = fc.stringMatching(/^-?[1-9]\d{15,40}$/)
const decimal = fc.stringMatching(/^-?0\.\d{15,30}[1-9]$/)
const short = fc.stringMatching(/^-?[1-9]\d{0,10}(\.\d[1-9])?$/)
/** Whose rounded form is short: it does not look as if digits were lost. */
const hidden = fc.constantFrom('0.70000000000009994', '0.1000000000000000001', '-2.50000000000000001')
const number = fc.oneof(digits, decimal, short, hidden)
/** A JSON text around numbers, with some white space. */
const metadata = fc
  .tuple(fc.array(number, { minLength: 1, maxLength: 4 }), fc.constantFrom('', ' ', '\n'))
  .map(([numbers, space]) => ({
    numbers,
    text: `{"n":${space}${numbers[0]},"list":[${numbers.join(`,${space}`)}],"deep":{"a":[{"b":${space}${numbers[0]}}]}}`,
  }))

function deliveryOf(type: string, data: string): Delivery {
  const rawBody = Buffer.from(
    `{"data":${data},"event_attributes":{},"type":"${type}","timestamp":1800000000000}`,
  )
  return { svixId: 'msg_exact', attemptedAt: AT, rawBody, ...readContent(rawBody) }
}

const userOf = (text: string, more = '') =>
  `{"id":"user_exact","first_name":"Ada","public_metadata":${text},"updated_at":1800000000000${more}}`

/** Every number, as often as the text around it has it. */
function expectNumbers(bytes: Uint8Array | null | undefined, numbers: readonly string[]): void {
  const found = Buffer.from(bytes ?? '')
    .toString()
    .match(/-?\d+(?:\.\d+)?/g)
  for (const each of numbers) expect(found).toContain(each)
  expect(found?.filter((each) => each === numbers[0]).length).toBeGreaterThanOrEqual(3)
}

const privacyOf = (options: PrivacyOptions) => Privacy.of(options, 'a key')

describe('a long number', () => {
  const before = fc.constantFrom('{"n":', '[1,', '[', '{"n": -', '')
  const padding = fc.nat(40).map((length) => ' '.repeat(length))

  it('is seen wherever it stands', () => {
    const long = fc.stringMatching(/^[1-9]\d{0,20}\.?\d{15,40}$/)
    const property = fc.property(padding, before, long, (space, start, each) => {
      expect(mayBeRounded(Buffer.from(space + start + each))).toBe(true)
    })
    fc.assert(property, RUNS)
  })

  it('of the fewest digits is seen at every byte', () => {
    const unseen = Array.from({ length: 100 }, (_, at) => at).filter(
      (at) => !mayBeRounded(Buffer.from(`${' '.repeat(at)}9007199254740993`)),
    )
    expect(unseen).toEqual([])
  })

  it('is none in quotes, nor with fewer digits', () => {
    const short = fc.stringMatching(/^[1-9]\d{0,6}(\.\d{1,7})?$/)
    const property = fc.property(padding, digits, short, (space, id, each) => {
      const text = `${space}{"id":"${id.replace('-', '')}","user":"user_${id.replace('-', '')}","n":${each}}`
      expect(mayBeRounded(Buffer.from(text))).toBe(false)
    })
    fc.assert(property, RUNS)
  })
})

describe('numbers are exact', () => {
  it('in a body from which secrets were taken', () => {
    const property = fc.property(metadata, ({ numbers, text }) => {
      const data = `{"id":"ema_1","body":"482915","data":{"otp_code":"482915","of":${text}},"updated_at":1}`
      const entry = readEntry(deliveryOf('email.created', data), ADMISSION)
      expect(Buffer.from(entry.body.bytes ?? '').toString()).not.toContain('482915')
      expectNumbers(entry.body.bytes, numbers)
      expectNumbers(entry.observations[0]?.state?.raw, numbers)
    })
    fc.assert(property, RUNS)
  })

  it('in a resource inside another one, even in its clock', () => {
    const clock = '1800000000000.0000001'
    const user = userOf('{"n":0.70000000000009994}', ',"email_addresses":[]').replace(
      '"updated_at":1800000000000',
      `"updated_at":${clock}`,
    )
    const data = `{"id":"sess_exact","user_id":"user_exact","updated_at":1800000000000,"user":${user}}`
    const { observations } = readEntry(deliveryOf('session.created', data), ADMISSION)
    const inner = observations.find(({ resource }) => resource.table === 'users')
    expect(Buffer.from(inner?.state?.raw ?? '').toString()).toBe(user)
  })

  it('in a body and a row of which some is not stored', () => {
    const privacy = privacyOf({ users: { omit: ['first_name'], hash: ['last_name'] } })
    const property = fc.property(metadata, ({ numbers, text }) => {
      const data = userOf(text, ',"last_name":"Lovelace"')
      const entry = readEntry(deliveryOf('user.updated', data), { ...ADMISSION, privacy })
      expectNumbers(entry.body.bytes, numbers)
      expectNumbers(entry.observations[0]?.state?.raw, numbers)
      const source = { observedAt: AT, eventId: null, instanceId: null, privacy }
      const item = { id: 'user_exact', data: JSON.parse(data), raw: Buffer.from(data) }
      expectNumbers(observeItem(source, USERS, item)[0]?.state?.raw, numbers)
    })
    fc.assert(property, RUNS)
  })

  it('in a body and a row of which the share of an erased person was taken', () => {
    const property = fc.property(metadata, ({ numbers, text }) => {
      const entry = readEntry(deliveryOf('user.updated', userOf(text)), ADMISSION)
      expectNumbers(withoutShareOfBody(entry.body, ['first_name']).bytes, numbers)
      expectNumbers(withoutFieldsOfEvent(entry.body.bytes as Uint8Array, ['first_name']), numbers)
      const [observation] = entry.observations
      if (observation) expectNumbers(withoutShare(observation, ['first_name']).state?.raw, numbers)
    })
    fc.assert(property, RUNS)
  })

  it('in what masks a body for people', () => {
    const property = fc.property(metadata, ({ numbers, text }) => {
      expectNumbers(Buffer.from(JSON.stringify(maskJson(parseExact(text)))), numbers)
    })
    fc.assert(property, RUNS)
    expect(maskJson(parseExact('{"public_metadata":{"n":9007199254740993}}'))).toEqual({
      public_metadata: { n: '•••' },
    })
  })
})

describe('a change beyond 2^53', () => {
  const stateOf = (at: number, metadata: string) => {
    const [observation] = readEntry(
      deliveryOf('user.updated', userOf(metadata).replace('1800000000000', String(at))),
      ADMISSION,
    ).observations
    if (!observation?.state) throw new Error('nothing was observed')
    return { observation, state: observation.state }
  }

  it('is seen although JavaScript takes both for the same number, and is written exactly', () => {
    const before = stateOf(1_800_000_000_000, '{"n":9007199254740992}')
    const after = stateOf(1_800_000_001_000, '{"n":9007199254740993}')
    const stored = {
      version: { updatedAt: before.state.updatedAt, observedAt: AT, raw: before.state.raw },
      tombstone: null,
      instanceId: null,
    }
    const { verdicts } = fold(stored, [after.observation], null)
    expect(Object.keys(verdicts[0]?.changes ?? {})).toContain('public_metadata')
    const text = Buffer.from(verdicts[0]?.exactChanges ?? '').toString()
    expect(text).toContain('"from":{"n":9007199254740992}')
    expect(text).toContain('"to":{"n":9007199254740993}')
    // What callers get are numbers of JavaScript.
    expect(verdicts[0]?.changes?.public_metadata?.to).toEqual({ n: 2 ** 53 })
  })
})

it('a big number is hashed as it was sent, and stays one text', () => {
  const privacy = privacyOf({ users: { hash: ['public_metadata.n'] } })
  const hashOf = (digits: string) => {
    const entry = readEntry(deliveryOf('user.updated', userOf(`{"n":${digits}}`)), { ...ADMISSION, privacy })
    const state = entry.observations[0]?.state
    const { public_metadata } = JSON.parse(Buffer.from(state?.raw ?? '{}').toString())
    expect(public_metadata).toEqual(state?.data.public_metadata)
    return public_metadata.n
  }
  expect(hashOf('9007199254740993')).toMatch(/^hmac-sha256:/)
  expect(hashOf('9007199254740993')).not.toBe(hashOf('9007199254740992'))
})
