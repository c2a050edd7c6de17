/** The range of time that a page looks at: from the address, as `since=24h`, or two moments after zooming in. */

import { useRef } from 'preact/hooks'
import { useAnswer } from '../answers.ts'
import type { Overview, Time } from '../api.ts'
import { usePlace } from '../location.ts'
import { momentOf } from '../moment.ts'

export const RANGES = ['1h', '24h', '7d', '30d'] as const

export interface Range {
  /** As it stands in the address. */
  readonly name: string
  readonly since: Time
  /** Undefined: now. */
  readonly until: Time | undefined
}

/** The range of the address, else the one that has data; undefined until that is known. */
export function useRange(): Range | undefined {
  const { query } = usePlace()
  const { value: overview, problem } = useAnswer('GET overview', {})
  // Fixed when the page opens: a chart should not change its range on its own.
  const opening = useRef<string>(undefined)
  const now = Date.now()
  if (overview) opening.current ??= openingRange(overview, now)
  const fallback = opening.current ?? (problem ? '24h' : undefined)
  const name = query.get('since') ?? fallback
  if (name === undefined) return undefined
  const until = query.get('until')
  return {
    name,
    since: momentOf(name, now) ?? (momentOf('24h', now) as Time),
    until: until ? momentOf(until, now) : undefined,
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * The shortest preset range that contains data: an hour for a new installation, a week if the last event is days old.
 */
export function openingRange(
  { firstEventAt, lastEvent }: Pick<Overview, 'firstEventAt' | 'lastEvent'>,
  now: number,
): string {
  if (firstEventAt === null || lastEvent === null) return '24h'
  if (now - Date.parse(firstEventAt) < HOUR_MS) return '1h'
  const age = now - Date.parse(lastEvent.receivedAt)
  if (age < DAY_MS) return '24h'
  if (age < 7 * DAY_MS) return '7d'
  return age < 30 * DAY_MS ? '30d' : '180d'
}
