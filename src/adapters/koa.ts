/**
 * The webhook route for Koa.
 *
 * @module clerk-sync/koa
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createResponder, type SyncSource } from '../index.ts'
import { bodyOf } from './node-request.ts'

/** What is used of Koa's context. */
interface Context {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  status: number
  body: unknown
  set(headers: Record<string, string>): unknown
}

const ADVICE =
  'a body parser ran first; move the app.use(…) with createKoaHandler() above that of koa-bodyparser or koa-body'

/**
 * Creates a route handler that answers deliveries, for `@koa/router` or a middleware that compares the path. Place it
 * above body parsers: the signature covers the bytes.
 *
 * @param sync default: one made from the environment at the first request
 *
 * @example
 * router.post('/api/webhooks/clerk', createKoaHandler())
 * app.use(router.routes()).use(bodyParser())
 */
export function createKoaHandler(sync?: SyncSource): (context: Context) => Promise<void> {
  const respond = createResponder(sync)
  return async (context) => {
    const { method, headers, socket } = context.req
    const { remoteAddress } = socket
    const reply = await respond({ method, headers, body: bodyOf(context.req), advice: ADVICE, remoteAddress })
    context.status = reply.status
    context.set(reply.headers)
    // The unread rest of a refused body would be parsed as the next request.
    if (!context.req.complete) context.set({ connection: 'close' })
    context.body = reply.body
  }
}
