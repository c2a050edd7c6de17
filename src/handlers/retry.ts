/** When a failed run is tried again. */

/** Svix's schedule, in seconds after each failure: 8 tries over 27 h 35 m. https://docs.svix.com/retries */
const SVIX_DELAYS = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
/** As Svix does: what failed together must not come back together. */
const JITTER = 0.2

/** @param retries how many, on Svix's schedule, the last delay again and again; or each delay in seconds */
export function retryDelays(retries: number | readonly number[] = SVIX_DELAYS): readonly number[] {
  if (typeof retries !== 'number') return [...retries]
  return Array.from({ length: retries }, (_, index) => SVIX_DELAYS[index] ?? (SVIX_DELAYS.at(-1) as number))
}

/** The seconds until the next attempt after this many failures; undefined after the last. */
export function delayAfter(attempts: number, delays: readonly number[]): number | undefined {
  const delay = delays[attempts - 1]
  return delay === undefined ? undefined : delay * (1 - JITTER + 2 * JITTER * Math.random())
}
