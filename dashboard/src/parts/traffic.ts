/** What the charts draw: the buckets as stacks of four, and lag on a logarithmic scale. Pure geometry. */

import type { Traffic, TrafficPoint } from '../api.ts'
import { ticksUpTo } from './ticks.ts'

export const SERIES = [
  { key: 'applied', word: 'applied' },
  { key: 'skipped', word: 'skipped' },
  { key: 'failing', word: 'failing' },
  { key: 'rejected', word: 'rejected' },
] as const

type SeriesKey = (typeof SERIES)[number]['key']

export type Stack = Readonly<Record<SeriesKey, number>> & { readonly total: number }

/** Failing events were mostly applied: they are subtracted there, so that each event is in the stack once. */
export function stackOf(point: TrafficPoint): Stack {
  const failing = point.failed + point.parked + point.handlerFailed
  const stack = {
    applied: Math.max(0, point.applied - point.handlerFailed),
    skipped: point.stale + point.ignored + point.duplicate,
    failing,
    rejected: point.rejected,
  }
  return { ...stack, total: stack.applied + stack.skipped + stack.failing + stack.rejected }
}

export interface Bars {
  readonly paths: Readonly<Record<SeriesKey, string>>
  /** The marks of the scale: round numbers. */
  readonly ticks: readonly number[]
}

/** One path per series; `width` and `height` are the drawing's. */
export function barsOf(stacks: readonly Stack[], width: number, height: number): Bars {
  const ticks = ticksUpTo(Math.max(...stacks.map(({ total }) => total)))
  const top = ticks.at(-1) as number
  const step = width / Math.max(1, stacks.length)
  const gap = step > 4 ? 1 : 0
  const paths: Record<SeriesKey, string> = { applied: '', skipped: '', failing: '', rejected: '' }
  for (const [index, stack] of stacks.entries()) {
    let below = 0
    for (const { key } of SERIES) {
      const value = stack[key]
      if (value === 0) continue
      // A single event among thousands must be seen.
      const size = Math.max(1.5, (value / top) * height)
      paths[key] +=
        `M${round(index * step)} ${round(height - below)}v-${round(size)}h${round(step - gap)}v${round(size)}z`
      below += size
    }
  }
  return { paths, ticks }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Lag is drawn from a hundredth of a second to an hour. */
const LAG_MIN_MS = 10
const LAG_MAX_MS = 3_600_000

export function lagHeight(milliseconds: number, height: number): number {
  const value = Math.min(LAG_MAX_MS, Math.max(LAG_MIN_MS, milliseconds))
  const share = Math.log(value / LAG_MIN_MS) / Math.log(LAG_MAX_MS / LAG_MIN_MS)
  return round(height - share * height)
}

/** A line with gaps where there was nothing. */
export function lagPath(
  points: readonly TrafficPoint[],
  which: 'p50Ms' | 'p95Ms',
  width: number,
  height: number,
): string {
  const step = width / Math.max(1, points.length)
  let path = ''
  let isDrawing = false
  for (const [index, { lag }] of points.entries()) {
    const value = lag[which]
    if (value !== null) {
      const at = `${round(index * step)} ${lagHeight(value, height)}`
      path += `${isDrawing ? 'L' : 'M'}${at}h${round(step)}`
    }
    isDrawing = value !== null
  }
  return path
}

/** `4,210 events between 13:31 and 14:31: 4,170 applied, …`, for those who do not see the drawing. */
export function totalsOf({ points }: Traffic): Stack {
  const totals = { applied: 0, skipped: 0, failing: 0, rejected: 0, total: 0 }
  for (const stack of points.map(stackOf)) {
    for (const { key } of SERIES) totals[key] += stack[key]
    totals.total += stack.total
  }
  return totals
}
