import type { ClerkEvent } from '../../src/index.ts'
import { Random } from '../../src/testing/random.ts'

/** How long a handler takes, up to 30 ms: always the same for an event, in whatever process. */
export function paceOf({ data, timestamp = 0 }: ClerkEvent): number {
  return new Random(timestamp, Number(/\d*$/.exec(String(data.id))?.[0])).integer(0, 30)
}
