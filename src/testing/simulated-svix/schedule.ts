/** When Svix tries again. https://docs.svix.com/retries */

import type { Random } from '../random.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** After the first attempt, how long Svix waits before each further one. */
const RETRY_DELAYS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR] as const

const JITTER = 0.2

/** How long Svix waits at least for a receiver that seems overloaded. */
const OVERLOAD_DELAY = MINUTE

/**
 * How many milliseconds to wait after a failed attempt; undefined after the last one.
 * @param failures how many attempts have failed
 */
export function retryDelay(failures: number, isOverloaded: boolean, random: Random): number | undefined {
  const delay = RETRY_DELAYS[failures - 1]
  if (delay === undefined) return undefined
  const jittered = delay * (1 - JITTER + 2 * JITTER * random.fraction())
  return isOverloaded ? Math.max(OVERLOAD_DELAY, jittered) : jittered
}
