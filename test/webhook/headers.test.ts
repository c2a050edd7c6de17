import { describe, expect, it } from 'vitest'
import { type RequestHeaders, readMessage } from '../../src/webhook/headers.ts'

const PLAIN = { 'svix-id': 'msg_1', 'svix-timestamp': '1800000000', 'svix-signature': 'v1,abc=' }
const READ = { id: 'msg_1', timestamp: 1_800_000_000, signature: 'v1,abc=' }

const mapNames = (change: (name: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(PLAIN).map(([name, value]) => [change(name), value]))

const titleCase = (name: string) => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
const standard = mapNames((name) => name.replace('svix', 'webhook'))

/** The `Headers` of undici or of a polyfill. */
class ForeignHeaders {
  readonly #values = new Map(Object.entries(PLAIN))
  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null
  }
}

function refusal(headers: RequestHeaders): unknown {
  try {
    return void readMessage(headers)
  } catch (error) {
    return error
  }
}

describe('reading headers', () => {
  it.each<[string, RequestHeaders]>([
    ['a plain object', PLAIN],
    ['an object without a prototype', Object.assign(Object.create(null), PLAIN)],
    ['Headers', new Headers(PLAIN)],
    ['Headers that are not the platform’s', new ForeignHeaders() as unknown as Headers],
    ['names in title case', mapNames(titleCase)],
    ['names in upper case', mapNames((name) => name.toUpperCase())],
    ['lists of one value', { ...PLAIN, 'svix-id': ['msg_1'] }],
    ['undefined beside them', { ...PLAIN, 'webhook-id': undefined, cookie: undefined }],
    ['a header called get', { ...PLAIN, get: 'x' }],
    ['white space around the values', { ...PLAIN, 'svix-timestamp': ' \t1800000000\t ' }],
    ['the names of the Standard Webhooks specification', standard],
    ['those names in Headers', new Headers(standard)],
  ])('takes %s', (_, headers) => {
    expect(readMessage(headers)).toMatchObject(READ)
  })

  it.each(Object.keys(PLAIN))('names the missing %s', (missing) => {
    for (const absent of [undefined, '', ' \t']) {
      expect(refusal({ ...PLAIN, [missing]: absent })).toMatchObject({
        code: 'headers_missing',
        message: expect.stringMatching(new RegExp(`: ${missing}\\.$`)),
      })
    }
  })

  it('names all three in the usual spelling when there are none', () => {
    for (const headers of [{}, new Headers()]) {
      expect(refusal(headers)).toMatchObject({
        message: expect.stringContaining('svix-id, svix-timestamp, svix-signature'),
      })
    }
  })

  it('never mixes the two families: the id that is verified is the id that counts', () => {
    expect(readMessage({ ...PLAIN, 'webhook-id': 'msg_other', 'webhook-timestamp': '1' })).toMatchObject(READ)
    for (const name of Object.keys(PLAIN)) {
      const mixed = { ...standard, [name]: PLAIN[name as keyof typeof PLAIN] }
      const others = Object.keys(PLAIN).filter((each) => each !== name)
      expect(refusal(mixed)).toMatchObject({ message: expect.stringContaining(others.join(', ')) })
    }
  })

  it('joins repeated headers, in lists and under two spellings', () => {
    expect(readMessage({ ...PLAIN, 'svix-signature': ['v1,a=', 'v1,b='] }).signature).toBe('v1,a=, v1,b=')
    expect(readMessage({ ...PLAIN, 'Svix-Signature': 'v1,b=' }).signature).toBe('v1,abc=, v1,b=')
    expect(refusal({ ...PLAIN, 'svix-id': ['msg_1', 'msg_1'] })).toMatchObject({ code: 'id_malformed' })
    expect(refusal({ ...PLAIN, 'SVIX-ID': 'msg_2' })).toMatchObject({ code: 'id_malformed' })
  })

  it.each([
    'a b',
    'msg.1',
    'msg_é',
    'msg\u0000',
    'msg\r\nx: y',
    '<script>',
    '../../etc',
    'x'.repeat(129),
    '\u00a0msg_1',
  ])('refuses the id %j without repeating it', (id) => {
    expect(refusal({ ...PLAIN, 'svix-id': id })).toMatchObject({
      code: 'id_malformed',
      message: 'The svix-id header is not a valid message id.',
    })
  })

  it.each(['x', '-_-', '__proto__', 'constructor', 'x'.repeat(128)])('takes the id %j', (id) => {
    expect(readMessage({ ...PLAIN, 'svix-id': id }).id).toBe(id)
  })

  it.each([
    '+1800000000',
    '-1800000000',
    '01800000000',
    '1800000000.5',
    '1.8e9',
    '1800000000e0',
    '1800000000<b>',
    '1800000000, 1800000000',
    '0x6b49d200',
    '１８００００００００',
    'NaN',
    'Infinity',
    '9'.repeat(16),
  ])('refuses the timestamp %j without repeating it', (timestamp) => {
    expect(refusal({ ...PLAIN, 'svix-timestamp': timestamp })).toMatchObject({
      code: 'timestamp_malformed',
      message: 'The svix-timestamp header is not a Unix time in seconds.',
    })
  })

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['12', 12],
    ['12, 12', undefined],
    ['twelve', undefined],
  ])('reads the Content-Length %j as %s', (value, contentLength) => {
    expect(readMessage({ ...PLAIN, 'Content-Length': value }).contentLength).toBe(contentLength)
  })

  it('refuses any encoding but none', () => {
    for (const none of ['identity', 'Identity', '', undefined])
      expect(readMessage({ ...PLAIN, 'content-encoding': none })).toMatchObject(READ)
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'identity, gzip', 'gzip, identity', 'x'])
      expect(refusal({ ...PLAIN, 'Content-Encoding': encoding })).toMatchObject({
        code: 'body_encoded',
        status: 415,
      })
  })
})
