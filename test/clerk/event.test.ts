import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_JSON_DEPTH, occurredAt, readContent, toDate } from '../../src/clerk/event.ts'

const read = (body: unknown) =>
  readContent(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))

const EVENT = { type: 'user.created', data: { id: 'user_1', first_name: 'Ada' }, object: 'event' }
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const eventWith = (value: string) =>
  `{"type":"user.created","data":{"id":"user_1","unsafe_metadata":${value}}}`

describe('reading a verified body', () => {
  it('gives the event and the exact text of its data', () => {
    const data = '{"id":"user_1", "n":1.0, "e":"\\u00e9"}'
    const content = read(`{"type":"user.created","data": ${data} }`)
    expect(content).toMatchObject({ event: { type: 'user.created', data: { id: 'user_1', n: 1, e: 'é' } } })
    expect(content.event && Buffer.from(content.rawData).toString()).toBe(data)
  })

  it('gives an event of a type that is not known: whoever knows the types decides', () => {
    expect(read({ ...EVENT, type: 'galaxy.created' }).event).toMatchObject({ type: 'galaxy.created' })
  })

  it('gives the last of repeated members, in the event and in the text', () => {
    const content = read('{"type":"a","data":{"id":"1"},"data":{"id":"2"},"type":"b"}')
    expect(content.event).toMatchObject({ type: 'b', data: { id: '2' } })
    expect(content.event && Buffer.from(content.rawData).toString()).toBe('{"id":"2"}')
  })

  it.each([
    ['with attributes', '{"data":{"id":"1"},"event_attributes":{"a":{}},"object":"event","type":"a"}'],
    [
      'without attributes',
      '{"data":{"id":"1"},"instance_id":"ins_1","object":"event","timestamp":1,"type":"a"}',
    ],
    [
      'with attributes inside its data',
      '{"data":{"id":"1","event_attributes":{}},"object":"event","type":"a"}',
    ],
    ['with a brace in a name', '{"data":{"id":"1"},"object":"}","type":"a"}'],
  ])('gives the exact text of data that stands first, %s', (_, body) => {
    const content = read(body)
    expect(content.event).toEqual(JSON.parse(body))
    expect(content.event && Buffer.from(content.rawData).toString()).toBe(
      JSON.stringify(JSON.parse(body).data),
    )
  })

  it('takes data that stands first for what any other order makes of it', () => {
    const body = '{"data":{"id":"1","a":[{"b":"}"}]},"event_attributes":{"c":{}},"object":"event","type":"a"}'
    const short = '{"data":{"id":"1"},"type":"a"}'
    const change = fc.record({
      of: fc.constantFrom(body, short),
      at: fc.nat(body.length),
      length: fc.nat(2),
      text: fc.constantFrom('', ',', '}', '{', '"', ' ', 'x', ',"data":1', ',"event_attributes":'),
    })
    fc.assert(
      fc.property(change, ({ of, at, length, text }) => {
        const changed = of.slice(0, at) + text + of.slice(at + length)
        // White space before it keeps it from being taken for what Clerk writes.
        expect(read(changed)).toEqual(read(` ${changed}`))
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  it.each<[string, unknown, string]>([
    ['no JSON', 'hello', 'bad_json'],
    ['next to nothing', '1}', 'bad_json'],
    ['an event with something before a comma', '{"data":{"id":"1"}x"type":"a"}', 'bad_json'],
    ['nothing but white space', ' \n', 'bad_json'],
    ['cut short', JSON.stringify(EVENT).slice(0, -1), 'bad_json'],
    ['two documents', '{}{}', 'bad_json'],
    ['JSON with a byte order mark', `\ufeff${JSON.stringify(EVENT)}`, 'bad_json'],
    ['JSON with a raw NUL', '{"type":"a\u0000","data":{"id":"1"}}', 'bad_json'],
    ['NaN', '{"type":"a","data":{"id":"1","n":NaN}}', 'bad_json'],
    ['a number', '1', 'unrecognised_event'],
    ['null', 'null', 'unrecognised_event'],
    ['a list of events', [EVENT], 'unrecognised_event'],
    ['an object without a type', { data: EVENT.data }, 'unrecognised_event'],
    ['a type that is no text', { ...EVENT, type: 1 }, 'unrecognised_event'],
    ['an empty type', { ...EVENT, type: '' }, 'unrecognised_event'],
    ['an endless type', { ...EVENT, type: 'x'.repeat(256) }, 'unrecognised_event'],
    ['no data', { type: 'user.created' }, 'unrecognised_event'],
    ['null for data', { ...EVENT, data: null }, 'unrecognised_event'],
    ['a list for data', { ...EVENT, data: [{ id: 'user_1' }] }, 'unrecognised_event'],
    ['data without an id', { ...EVENT, data: {} }, 'unrecognised_event'],
    ['an id that is no text', { ...EVENT, data: { id: 1 } }, 'unrecognised_event'],
    ['an empty id', { ...EVENT, data: { id: '' } }, 'unrecognised_event'],
    ['an endless id', { ...EVENT, data: { id: 'x'.repeat(256) } }, 'unrecognised_event'],
    ['an event in its prototype', '{"__proto__":{"type":"a","data":{"id":"1"}}}', 'unrecognised_event'],
    [
      'an id in the prototype of its data',
      '{"type":"a","data":{"__proto__":{"id":"1"}}}',
      'unrecognised_event',
    ],
  ])('says why it cannot use %s', (_, body, unusable) => {
    expect(read(body)).toEqual({ event: null, unusable })
  })

  it('takes types and ids of 255 characters', () => {
    expect(read({ type: 'x'.repeat(255), data: { id: 'y'.repeat(255) } }).event).not.toBeNull()
  })

  it('takes nesting of up to 200 levels, and says of more that it is too deep before it looks at anything else', () => {
    // The body and `data` are two levels.
    expect(read(eventWith(nested(MAX_JSON_DEPTH - 2))).event).not.toBeNull()
    expect(read(eventWith(nested(MAX_JSON_DEPTH - 1)))).toEqual({ event: null, unusable: 'too_deep' })
    expect(read(nested(100_000))).toEqual({ event: null, unusable: 'too_deep' })
    expect(read('['.repeat(1_000_000))).toEqual({ event: null, unusable: 'too_deep' })
  })

  it('never throws, and what it takes for an event is one', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"type"',
      '"data"',
      '"id"',
      ':',
      ',',
      '"x"',
      '1',
      '\\',
      '"',
      ' ',
    )
    const body = fc.oneof(
      fc.uint8Array(),
      fc.array(fragment).map((parts) => Buffer.from(parts.join(''))),
      fc.json().map(Buffer.from),
    )
    fc.assert(
      fc.property(body, (bytes) => {
        const { event } = readContent(bytes)
        if (event !== null) expect([typeof event.type, typeof event.data.id]).toEqual(['string', 'string'])
      }),
      { numRuns: 3_000 },
    )
  })

  it('does not reach the prototype of all objects', () => {
    read(
      '{"__proto__":{"polluted":1},"type":"a","data":{"id":"1","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    )
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('a time of Clerk’s', () => {
  const T = Date.UTC(2026, 10, 23)

  it.each<[unknown, Date | null]>([
    [T, new Date(T)],
    [T / 1000, new Date(T)],
    [T + 0.75, new Date(T)],
    [99_999_999_999, new Date(99_999_999_999_000)],
    [100_000_000_000, new Date(100_000_000_000)],
    [253_402_300_799_999, new Date('9999-12-31T23:59:59.999Z')],
    [253_402_300_800_000, null],
    [0, null],
    [-1, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [null, null],
    [undefined, null],
    ['2026-11-23T00:00:00Z', null],
    [String(T), null],
    [{}, null],
  ])('%s is read as %s', (time, date) => {
    expect(toDate(time)).toEqual(date)
  })

  it('stands in the envelope, in milliseconds or seconds; without it, the time of the attempt counts', () => {
    const attemptedAt = new Date(T + 60_000)
    const at = (timestamp?: number) =>
      occurredAt({ ...EVENT, ...(timestamp !== undefined && { timestamp }) }, attemptedAt)
    expect([at(T), at(T / 1000), at(), at(0)]).toEqual([new Date(T), new Date(T), attemptedAt, attemptedAt])
  })
})
