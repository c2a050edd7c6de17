/** The webhook route for Hono. `clerk-sync/hono` */

import { createResponder, type SyncSource } from '../index.ts'
import { answer } from './web-request.ts'

/** What is used of Hono's context. */
interface Context {
  readonly req: { readonly raw: Request }
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
  return ({ req }) => answer(respond, req.raw, ADVICE)
}
