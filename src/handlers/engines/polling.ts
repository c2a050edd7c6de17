/**
 * No engine at all: workers look into the table. For serverless apps, where no process waits for a wake, and for whoever
 * wants no second set of tables.
 */

import { requireNumber } from '../../validate.ts'
import type { Engine, EngineFactory } from '../engine.ts'

export interface PollingOptions {
  /**
   * How often workers look for runs that are due, in milliseconds.
   * @default 1000
   */
  readonly everyMs?: number | undefined
}

export function polling({ everyMs = 1_000 }: PollingOptions = {}): EngineFactory {
  requireNumber('everyMs', everyMs, 'milliseconds')
  const nothing = async () => undefined
  const engine: Engine = {
    isTransactional: true,
    sweep: { everyMs, graceMs: 0 },
    prepare: nothing,
    enqueue: nothing,
    work: nothing,
    rest: nothing,
    close: nothing,
  }
  return { name: 'polling', create: () => engine }
}
