/** Chance that a failed test tells how to repeat. */

import { randomInt } from 'node:crypto'
import { onTestFailed } from 'vitest'
import { Random } from '../../src/testing/random.ts'

/** For the test that calls it. When a process is hit exactly depends on the machine as well. */
export function chance(): Random {
  const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
  onTestFailed(() => console.error(`The seed of this test: TEST_SEED=${seed}`))
  return new Random(seed)
}
