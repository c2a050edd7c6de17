import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanJson } from '../../src/clerk/json-scan.ts'

const scan = (text: string, maxDepth = 200) => scanJson(Buffer.from(text), 'data', maxDepth)

function memberOf(text: string): string | undefined {
  const { member } = scan(text)
  return member && Buffer.from(member).toString()
}

/** Writes JSON as other writers might: any white space, any escapes. */
class OddWriter {
  readonly #random: () => number

  constructor(seed: number) {
    let state = seed
    this.#random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return state
    }
  }

  write(value: unknown): string {
    if (typeof value === 'string') return this.#string(value)
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    if (Array.isArray(value))
      return this.#list(
        '[',
        value.map((member) => this.#spaced(this.write(member))),
        ']',
      )
    const members = Object.entries(value).map(
      ([key, member]) => `${this.#spaced(this.#string(key))}:${this.#spaced(this.write(member))}`,
    )
    return this.#list('{', members, '}')
  }

  #list(open: string, members: string[], close: string): string {
    return `${open}${members.length > 0 ? members.join(',') : this.#space()}${close}`
  }

  #spaced(text: string): string {
    return `${this.#space()}${text}${this.#space()}`
  }

  #space(): string {
    return ['', '', '', ' ', '\n', '\r\n\t'][this.#random() % 6] as string
  }

  /** Every character as it is, or escaped in one of the ways there are. */
  #string(text: string): string {
    const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
    const written = units.map((unit) => {
      const plain = JSON.stringify(String.fromCharCode(unit)).slice(1, -1)
      const escaped = `\\u${unit.toString(16).padStart(4, '0')}`
      const isSurrogate = unit >= 0xd800 && unit <= 0xdfff
      if (unit === 0x2f && this.#random() % 2) return '\\/'
      return isSurrogate || this.#random() % 3 === 0 ? escaped : plain
    })
    return `"${written.join('')}"`
  }
}

const anyJson = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' })
const key = fc.oneof(
  fc.constantFrom('data', 'type', '', '__proto__', 'd', '"', '\\', '{', 'Data'),
  fc.string(),
)

describe('scanning JSON', () => {
  it('finds the bytes of `data`, however the text is written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, anyJson)), anyJson, fc.nat(), (members, data, seed) => {
        const writer = new OddWriter(seed)
        const before = members.map(([name, value]) => `${writer.write(name)} : ${writer.write(value)}`)
        const after = writer
          .write({ type: 'user.created', nested: { data: 1 }, list: [{ data: 2 }] })
          .slice(1)
        const text = ` {${[...before, `${writer.write('data')}:${writer.write(data)}`, after].join(',')}\n`
        const member = memberOf(text)
        expect(member?.trim()).toBe(member)
        expect(JSON.parse(member as string)).toEqual(JSON.parse(text).data)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each<[string, string, string | undefined]>([
    ['the last of several', '{"data":1,"data":{"a":2}}', '{"a":2}'],
    ['the last of several, one of them escaped', '{"data":1,"d\\u0061ta":2}', '2'],
    ['an escaped name', '{"\\u0064\\u0061\\u0074\\u0061":3}', '3'],
    [
      'the text as it is',
      '{"data": {"n":1.50e+02,\n"é":"\\u00e9\\/"} }',
      '{"n":1.50e+02,\n"é":"\\u00e9\\/"}',
    ],
    ['braces and quotes inside strings', '{"data":"}{][\\"\\\\"}', '"}{][\\"\\\\"'],
    ['a string that ends in backslashes', '{"a":"\\\\\\\\","data":1}', '1'],
    ['null', '{"data":null}', 'null'],
    ['nothing in an object without it', '{"type":"x"}', undefined],
    ['nothing deeper inside', '{"a":{"data":1}}', undefined],
    ['no value for a name', '{"a":"data","b":1}', undefined],
    ['nothing under a longer name', '{"data2":1,"dat":2,"Data":3}', undefined],
    ['nothing in an empty object', '{}', undefined],
    ['nothing in a text', '"data"', undefined],
  ])('finds %s', (_, text, member) => {
    expect(memberOf(text)).toBe(member)
  })

  it('finds the member inside bytes that are a part of a larger buffer', () => {
    const bytes = Buffer.from('xx{"data":{"a":1}}yy')
    expect(Buffer.from(scanJson(bytes.subarray(2, -2), 'data', 5).member as Uint8Array).toString()).toBe(
      '{"a":1}',
    )
  })

  it.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('allows exactly so many levels of %s', (_, open, close) => {
    const deep = (levels: number) => open.repeat(levels) + (close === '}' ? '1' : '') + close.repeat(levels)
    expect(scan(deep(200)).tooDeep).toBe(false)
    expect(scan(deep(201))).toEqual({ tooDeep: true, member: undefined })
    // Side by side is not deep.
    expect(scan(`[${Array(500).fill(deep(199)).join(',')}]`).tooDeep).toBe(false)
  })

  it('counts no brackets inside strings', () => {
    expect(scan(JSON.stringify({ data: '['.repeat(1_000) })).tooDeep).toBe(false)
  })

  it('never throws, whatever it is given', () => {
    const json = fc.constantFrom(...'{}[]":,\\ dat0u\n'.split(''), '\\u0061', '"data"', '\u0000')
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(json).map((parts) => Buffer.from(parts.join(''))),
    )
    fc.assert(
      fc.property(anything, (bytes) => {
        const { tooDeep, member } = scanJson(bytes, 'data', 3)
        expect(typeof tooDeep).toBe('boolean')
        expect(member === undefined || member.byteLength <= bytes.byteLength).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  it.each<[string, (size: number) => string]>([
    ['backslashes', (size) => `{"a":"${'\\'.repeat(size)}"}`],
    ['escaped quotes', (size) => `{"a":"${'\\"'.repeat(size / 2)}"}`],
    ['backslashes and quotes in turn', (size) => `"${'\\\\"'.repeat(size / 3)}`],
    ['an endless string', (size) => `{"${'x'.repeat(size)}`],
    ['names', (size) => `{${'"data":1,'.repeat(size / 9)}"a":1}`],
    ['escaped names', (size) => `{${'"d\\u0061ta":1,'.repeat(size / 14)}"a":1}`],
    ['colons', (size) => `{"data"${':'.repeat(size)}}`],
    ['brackets that close nothing', (size) => ']'.repeat(size)],
    ['shallow lists', (size) => `[${'[],'.repeat(size / 3)}0]`],
    ['white space after data', (size) => `{"data":1${' '.repeat(size)}}`],
    ['commas after white space', (size) => `{"data":${' '.repeat(size / 2)}${','.repeat(size / 2)}}`],
  ])('takes no more than linear time for %s', (_, write) => {
    // Eight times the text may take a little more than eight times as long; quadratic work takes 64 times as long.
    const small = fastest(scanOf(write(100_000)))
    const large = fastest(scanOf(write(800_000)))
    expect(large).toBeLessThan(24 * small + NOISE_MS)
  })
})

/** Far below what quadratic work over 800,000 bytes takes. */
const NOISE_MS = 20

function scanOf(text: string): () => unknown {
  const bytes = Buffer.from(text)
  return () => scanJson(bytes, 'data', 200)
}

/** The shortest of several runs: what else the machine does only makes them longer. */
function fastest(work: () => unknown): number {
  const times = Array.from({ length: 7 }, () => {
    const startedAt = performance.now()
    work()
    return performance.now() - startedAt
  })
  return Math.min(...times)
}
