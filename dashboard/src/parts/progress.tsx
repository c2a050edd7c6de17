/** How far something is; without an end to measure by, only that it moves. */

import type { Quantity } from '../api.ts'

interface ProgressProps {
  readonly done: number | null
  readonly total: Quantity
  readonly label: string
}

export function Progress({ done, total, label }: ProgressProps) {
  if (done === null || !total.value) return <progress aria-label={label} />
  return <progress aria-label={label} value={Math.min(done, total.value)} max={total.value} />
}
