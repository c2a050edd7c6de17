/** The range of time that a page looks at: from the address, as `since=24h`, or two moments after zooming in. */

import type { Time } from '../api.ts'
import { usePlace } from '../location.ts'
import { momentOf } from '../moment.ts'

export const RANGES = ['1h', '24h', '7d'] as const

export interface Range {
  /** As it stands in the address. */
  readonly name: string
  readonly since: Time
  /** Undefined: now. */
  readonly until: Time | undefined
}

export function useRange(fallback: string): Range {
  const { query } = usePlace()
  const name = query.get('since') ?? fallback
  const until = query.get('until')
  const now = Date.now()
  return {
    name,
    since: momentOf(name, now) ?? (momentOf(fallback, now) as Time),
    until: until ? momentOf(until, now) : undefined,
  }
}
