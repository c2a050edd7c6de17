/** A moment: short to read, whole on hover, exact for machines. */

import type { Time } from '../api.ts'
import { useNow } from '../clock.ts'
import { distance, fullTime, preciseTime, time, UNKNOWN } from '../format.ts'

/** `14:31:07`. */
export function At({ at, precise = false }: { readonly at: Time | null; readonly precise?: boolean }) {
  const now = useNow()
  if (at === null) return <span class="quiet">{UNKNOWN}</span>
  return (
    <time dateTime={at} title={fullTime(at)}>
      {precise ? preciseTime(at) : time(at, now)}
    </time>
  )
}

/** `4s ago`, growing. */
export function Ago({ at }: { readonly at: Time | null }) {
  const now = useNow()
  if (at === null) return <span class="quiet">{UNKNOWN}</span>
  return (
    <time dateTime={at} title={fullTime(at)}>
      {distance(at, now)}
    </time>
  )
}
