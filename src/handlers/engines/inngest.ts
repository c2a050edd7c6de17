/**
 * Inngest, for teams that run their functions there.
 *
 * Each run is an event for one function per handler, which the app serves with Inngest's own adapter. Events hold ids
 * only, and are sent after the commit that records the runs; what Inngest never got is found by `sync.drain()` or a
 * worker.
 *
 * @module clerk-sync/inngest
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

/** The parts of Inngest's client that are used. */
export interface InngestLike<InngestFunction> {
  send(events: { name: string; id: string; data: RunKey; ts?: number }[]): Promise<unknown>
  createFunction(
    options: { id: string; retries: 4; concurrency: number; triggers: { event: string }[] },
    handler: (context: { event: { data: RunKey } }) => Promise<void>,
  ): InngestFunction
}

/** Inngest accepts this many events, or 512 KB, per request. */
const MAX_EVENTS = 500

export interface InngestOptions {
  readonly client: Pick<InngestLike<unknown>, 'send'>
}

/**
 * Lets Inngest run the handlers.
 *
 * @example
 * const client = new Inngest({ id: 'my-app' })
 * const sync = createClerkSync({ engine: inngest({ client }), handlers })
 * // The route that Inngest calls, here of Next.js:
 * export const { GET, POST, PUT } = serve({ client, functions: await inngestFunctions(client, sync) })
 */
export function inngest({ client }: InngestOptions): EngineFactory {
  if (typeof client?.send !== 'function') {
    throw new ClerkSyncError('option_invalid', 'client must be a client of Inngest: new Inngest({ id })')
  }
  const nothing = async () => undefined
  const engine: Engine = {
    lookEveryMs: LOOK_EVERY_MS,
    wake: async (wakes) => {
      for (let at = 0; at < wakes.length; at += MAX_EVENTS) {
        await client.send(wakes.slice(at, at + MAX_EVENTS).map(toEvent))
      }
    },
    work: nothing,
    rest: nothing,
    close: nothing,
  }
  return { name: 'inngest', create: () => engine }
}

/** The functions to serve: one for each handler, so that Inngest shows and limits each by itself. */
export function inngestFunctions<InngestFunction>(
  client: InngestLike<InngestFunction>,
  sync: CallableSync,
): InngestFunction[] {
  return sync.handlers.definitions.map(({ name, concurrency }) =>
    client.createFunction(
      // A run's own retries are in `handler_runs`; these are for an unavailable database.
      { id: `clerk-sync-${name}`, retries: 4, concurrency, triggers: [{ event: eventName(name) }] },
      ({ event }) => sync.run([event.data]),
    ),
  )
}

function toEvent({ eventId, handler, id, at }: Wake) {
  // An event with a time ahead is delivered then. https://www.inngest.com/docs/events#event-payload-format
  return { name: eventName(handler), id, data: { eventId, handler }, ...(at && { ts: at.getTime() }) }
}

function eventName(handler: string): string {
  return `clerk-sync/${handler}.due`
}
