import { expect, it } from 'vitest'
import { trendOf } from '../../chaos/trend.ts'

const TOLERANCE = { share: 0.1, amount: 5 }
const series = (valueAt: (nr: number) => number) => Array.from({ length: 120 }, (_, nr) => valueAt(nr))

it.each<[string, (nr: number) => number]>([
  ['what stays', () => 100],
  ['what swings', (nr) => 100 + (nr % 10) * 8],
  ['what grows while it warms up', (nr) => Math.min(40 + nr * 4, 120)],
  ['what falls', (nr) => 300 - nr],
])('is flat: %s', (_, valueAt) => {
  expect(trendOf(series(valueAt), TOLERANCE).isFlat).toBe(true)
})

it.each<[string, (nr: number) => number]>([
  ['what leaks', (nr) => 100 + nr / 2],
  ['what leaks while it swings', (nr) => 100 + nr / 2 + (nr % 10) * 8],
  ['what does not come back', (nr) => (nr < 85 ? 100 : 160)],
])('is not: %s', (_, valueAt) => {
  expect(trendOf(series(valueAt), TOLERANCE).isFlat).toBe(false)
})

it('says the lowest points that it compares', () => {
  expect(trendOf([9, 9, 1, 5, 4, 5, 5, 5, 7, 6], TOLERANCE)).toEqual({ before: 1, after: 6, isFlat: true })
})
