/**
 * The webhook route for Hono.
 *
 * @module clerk-sync/hono
 */

import type { IncomingMessage } from 'node:http'
import { createResponder, type SyncSource } from '../index.ts'
import { answer } from './web-request.ts'

/** What is used of Hono's context. */
interface Context {
  readonly req: { readonly raw: Request }
  /** `@hono/node-server` puts Node's request here; other runtimes put other things. */
  readonly env?: unknown
}

const ADVICE =
  'a middleware read c.req first; move the line with createHonoHandler() above the app.use(…) of that middleware'

/**
 * Creates a route handler that answers deliveries. It belongs above middleware that reads the body: the signature covers
 * the bytes.
 *
 * @param sync the default is one made from the environment at the first request
 *
 * @example
 * app.post('/api/webhooks/clerk', createHonoHandler())
 */
export function createHonoHandler(sync?: SyncSource): (context: Context) => Promise<Response> {
  const respond = createResponder(sync)
  return ({ req, env }) => answer(respond, req.raw, ADVICE, addressIn(env))
}

function addressIn(env: unknown): string | undefined {
  const { incoming } = (env ?? {}) as { readonly incoming?: Partial<Pick<IncomingMessage, 'socket'>> }
  return incoming?.socket?.remoteAddress
}
