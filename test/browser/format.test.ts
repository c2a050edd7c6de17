import { describe, expect, it } from 'vitest'
import {
  age,
  bytes,
  count,
  countOf,
  distance,
  duration,
  inline,
  number,
  quantity,
  time,
  title,
  total,
} from '../../dashboard/src/format.ts'

const exactly = (value: number | null) => ({ value, isEstimate: false, isAtLeast: false })
const NOW = Date.parse('2026-11-24T14:31:45.500Z')
const ago = (milliseconds: number) => new Date(NOW - milliseconds).toISOString()

describe('numbers', () => {
  it('say how well they are known, and never 0 for what is not', () => {
    expect(number(null)).toBe('–')
    expect(quantity(exactly(1_204_118))).toBe('1,204,118')
    expect(quantity({ value: 1_204_118, isEstimate: true, isAtLeast: false })).toBe('≈ 1,204,118')
    expect(quantity({ value: 10_000, isEstimate: false, isAtLeast: true })).toBe('10,000+')
    expect(quantity(exactly(null))).toBe('–')
  })

  it('are together as uncertain as the least certain of them', () => {
    const atLeast = { value: 1_000, isEstimate: false, isAtLeast: true }
    expect(total(exactly(5), atLeast)).toEqual({ value: 1_005, isEstimate: false, isAtLeast: true })
    expect(total(exactly(5), exactly(null))).toEqual(exactly(null))
  })

  it('are one or many', () => {
    expect([count(1, 'event'), count(0, 'event'), count(2, 'try', 'tries')]).toEqual([
      '1 event',
      '0 events',
      '2 tries',
    ])
    expect(countOf({ value: 1, isEstimate: false, isAtLeast: true }, 'run')).toBe('1+ runs')
  })

  it.each([
    [812, '812 B'],
    [2_140, '2.1 KB'],
    [3_500_000, '3.5 MB'],
  ])('of bytes: %s is %s', (value, text) => {
    expect(bytes(value)).toBe(text)
  })
})

describe('times', () => {
  it.each([
    [8.4, '8 ms'],
    [999.7, '1000 ms'],
    [2_000, '2s'],
    [2_040, '2.0 s'],
    [252_000, '4m 12s'],
    [11_100_000, '3h 5m'],
    [12 * 86_400_000 + 3_600_000, '12d'],
  ])('%s ms last %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text)
  })

  it('are as far away as people count', () => {
    expect(distance(ago(4_200), NOW)).toBe('4s ago')
    expect(distance(ago(300), NOW)).toBe('now')
    expect(distance(ago(-252_000), NOW)).toBe('in 4m 12s')
    expect(distance(ago(29 * 60_000 + 30_000), NOW)).toBe('29m ago')
    expect(age(ago(-5_000), NOW)).toBe('1s')
  })

  it('name the day if it is another', () => {
    expect(time(new Date(NOW).toISOString(), NOW)).toMatch(/^\d\d:\d\d:\d\d$/)
    expect(time(ago(3 * 86_400_000), NOW)).toMatch(/^2[012] Nov,? \d\d:\d\d$/)
  })
})

describe('names and values', () => {
  it('are words on one line', () => {
    expect(title('organization_memberships')).toBe('Organization memberships')
    expect([inline('a'), inline(null), inline(undefined), inline({ plan: 'pro' })]).toEqual([
      '"a"',
      'null',
      'null',
      '{"plan":"pro"}',
    ])
  })
})
