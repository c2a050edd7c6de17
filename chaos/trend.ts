/** Whether a series of measurements grows. Pure. */

/** What may grow by how much, and still counts as flat. */
export interface Tolerance {
  /** Of the value after the warm-up. */
  readonly share: number
  /** Beyond that: what a machine that does other things adds. */
  readonly amount: number
}

export interface Trend {
  /** The least value of the third that follows the warm-up. */
  readonly before: number
  /** The least value of the last third. */
  readonly after: number
  readonly isFlat: boolean
}

/** Caches fill and code is compiled meanwhile. */
const WARM_UP = 0.2

/**
 * Compares the lowest points: memory swings between two collections of garbage, and a bloated table between two vacuums; what
 * leaks lifts the lowest point.
 */
export function trendOf(values: readonly number[], { share, amount }: Tolerance): Trend {
  const settled = values.slice(Math.ceil(values.length * WARM_UP))
  const third = Math.max(1, Math.floor(settled.length / 3))
  const before = Math.min(...settled.slice(0, third))
  const after = Math.min(...settled.slice(-third))
  return { before, after, isFlat: after <= before * (1 + share) + amount }
}
