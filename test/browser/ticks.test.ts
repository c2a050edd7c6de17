import { expect, it } from 'vitest'
import { openingRange } from '../../dashboard/src/parts/range.ts'
import { ticksUpTo, timeTicks } from '../../dashboard/src/parts/ticks.ts'

it.each([
  [0, [0, 1]],
  [3, [0, 1, 2, 3]],
  [7, [0, 2, 4, 6, 8]],
  [40, [0, 10, 20, 30, 40]],
  [1_234, [0, 500, 1_000, 1_500]],
])('marks a scale up to %d at round numbers', (highest, ticks) => {
  expect(ticksUpTo(highest)).toEqual(ticks)
})

it.each([
  [1, 10],
  [24, 240],
  [7 * 24, 1_440],
  [30 * 24, 7_200],
])('marks %d hours every %d minutes', (hours, minutes) => {
  const since = new Date(2026, 4, 3, 13, 47, 12)
  const until = new Date(since.getTime() + hours * 3_600_000)
  const ticks = timeTicks(since.toISOString(), until.toISOString()).map((at) => Date.parse(at))
  expect(ticks.length).toBeGreaterThan(3)
  expect(ticks.length).toBeLessThan(9)
  const first = new Date(ticks[0] as number)
  expect((first.getHours() * 60 + first.getMinutes()) % Math.min(minutes, 1_440)).toBe(0)
  expect((ticks[1] as number) - (ticks[0] as number)).toBe(minutes * 60_000)
})

const NOW = Date.parse('2026-05-03T12:00:00Z')
const ago = (hours: number) => new Date(NOW - hours * 3_600_000).toISOString()

it.each([
  ['24h', null, null],
  ['1h', 0.5, 0.1],
  ['24h', 5, 0.1],
  ['24h', 900, 3],
  ['7d', 900, 50],
  ['30d', 900, 200],
  ['180d', 9_000, 2_000],
])('opens a chart at %s if the first event is %s and the last one %s hours old', (range, first, last) => {
  const overview = {
    firstEventAt: first === null ? null : ago(first),
    lastEvent: last === null ? null : { id: 'msg_1', type: null, receivedAt: ago(last) },
  }
  expect(openingRange(overview, NOW)).toBe(range)
})
