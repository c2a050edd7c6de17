/**
 * Trigger.dev, for teams whose background work runs there.
 *
 * Each run triggers a task that the team defines in its own `trigger/` folder. Payloads hold ids only, and are sent after
 * the commit that records the runs; what Trigger.dev never got is found by `sync.drain()` or a worker.
 *
 * @module clerk-sync/trigger
 */

import { ClerkSyncError } from '../../errors.ts'
import {
  type CallableSync,
  type Engine,
  type EngineFactory,
  LOOK_EVERY_MS,
  type RunKey,
  type Wake,
} from '../engine.ts'

/** The parts of `tasks`, of `@trigger.dev/sdk`, that are used. */
interface TasksLike {
  trigger(id: string, payload: RunKey, options: { idempotencyKey: string; delay?: Date }): Promise<unknown>
}

export interface TriggerOptions {
  readonly tasks: TasksLike
  /**
   * The id of the task.
   * @default "clerk-sync"
   */
  readonly taskId?: string | undefined
}

/** One request each; this many at a time. */
const CONCURRENCY = 10

/**
 * Lets Trigger.dev run the handlers.
 *
 * @example
 * import { task, tasks } from '@trigger.dev/sdk'
 * export const sync = createClerkSync({ engine: trigger({ tasks }), handlers })
 * // trigger/clerk-sync.ts
 * export const clerkSync = task({ id: 'clerk-sync', run: taskRun(sync) })
 */
export function trigger({ tasks, taskId = 'clerk-sync' }: TriggerOptions): EngineFactory {
  if (typeof tasks?.trigger !== 'function') {
    throw new ClerkSyncError('option_invalid', 'tasks must be `tasks` of @trigger.dev/sdk')
  }
  const nothing = async () => undefined
  const engine: Engine = {
    lookEveryMs: LOOK_EVERY_MS,
    wake: async (wakes) => {
      for (let at = 0; at < wakes.length; at += CONCURRENCY) {
        await Promise.all(wakes.slice(at, at + CONCURRENCY).map((wake) => send(tasks, taskId, wake)))
      }
    },
    work: nothing,
    rest: nothing,
    close: nothing,
  }
  return { name: 'trigger', create: () => engine }
}

/** What the task does with a payload. */
export function taskRun(sync: Pick<CallableSync, 'run'>): (payload: RunKey) => Promise<void> {
  return (payload) => sync.run([payload])
}

function send(tasks: TasksLike, taskId: string, { eventId, handler, id, at }: Wake): Promise<unknown> {
  return tasks.trigger(taskId, { eventId, handler }, { idempotencyKey: id, ...(at && { delay: at }) })
}
