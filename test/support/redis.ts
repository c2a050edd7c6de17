/** The suites that need the Redis that runs. */

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, describe, inject } from 'vitest'

/** Runs the suite with a Redis; without one it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithRedis(title: string, suite: (url: string) => void): void {
  const url = inject('redisUrl')
  if (url === null) describe.skip(`${title} (needs a Redis: set TEST_REDIS_URL)`, () => suite(''))
  else describe(title, () => suite(url))
}

/** A prefix of one's own for BullMQ's keys, which are removed after the suite. */
export function bullmqPrefix(url: string): string {
  const prefix = `clerk-sync-test-${randomBytes(4).toString('hex')}`
  afterAll(async () => {
    const redis = new Redis(url)
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.del(...keys)
    redis.disconnect()
  })
  return prefix
}
