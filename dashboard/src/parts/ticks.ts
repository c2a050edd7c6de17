/** Where the marks of a scale are: at round numbers and round times. Pure. */

import type { Time } from '../api.ts'

/** Three or four steps of 1, 2 or 5 from 0: the last one is the top of the scale. */
export function ticksUpTo(highest: number): number[] {
  const rough = Math.max(1, highest) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power)
  const amount = Math.ceil(Math.max(1, highest) / step)
  return Array.from({ length: amount + 1 }, (_, index) => index * step)
}

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720].map((minutes) => minutes * MINUTE_MS)
const DAY_STEPS_MS = [1, 2, 5, 10, 30].map((days) => days * DAY_MS)
const MAX_TICKS = 7

/** Full hours, quarters and days of the reader's own clock. */
export function timeTicks(since: Time, until: Time): Time[] {
  const [first, last] = [Date.parse(since), Date.parse(until)]
  const step =
    [...STEPS_MS, ...DAY_STEPS_MS].find((each) => (last - first) / each <= MAX_TICKS) ?? 30 * DAY_MS
  const ticks: Time[] = []
  // Midnight, so that steps of hours are full ones in every time zone.
  const midnight = new Date(first).setHours(0, 0, 0, 0)
  for (let at = midnight; at <= last; at += step) if (at >= first) ticks.push(new Date(at).toISOString())
  return ticks
}
