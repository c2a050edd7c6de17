/** The suites that need the Redis that runs. */

import { describe, inject } from 'vitest'

/** Runs the suite with a Redis; without one it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithRedis(title: string, suite: (url: string) => void): void {
  const url = inject('redisUrl')
  if (url === null) describe.skip(`${title} (needs a Redis: set TEST_REDIS_URL)`, () => suite(''))
  else describe(title, () => suite(url))
}
