/**
 * The webhook route for Next.js, App Router and Pages Router, on the Node.js runtime. `clerk-sync/next`
 *
 * Serverless functions stop once they have answered; everything is committed by then.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createResponder, type SyncSource } from '../index.ts'
import { answer as answerNode } from './node-request.ts'
import { answer } from './web-request.ts'

const ADVICE = 'something read the request before; hand it over untouched, and read request.clone() yourself'
const PAGES_ADVICE =
  'Next parsed it; add `export const config = { api: { bodyParser: false } }` to the file of this route'

/**
 * The whole webhook route of the App Router, configured by the environment.
 *
 * @example
 * // app/api/webhooks/clerk/route.ts
 * export { POST } from 'clerk-sync/next'
 */
export const POST = createNextHandler()

/**
 * Creates a route handler of the App Router that answers deliveries.
 *
 * @param sync the default is one made from the environment at the first request; a function keeps `next build` from
 * making it, which would need the secret
 *
 * @example
 * export const POST = createNextHandler(() => createClerkSync({ schema: 'identity' }))
 */
export function createNextHandler(sync?: SyncSource): (request: Request) => Promise<Response> {
  const respond = createResponder(sync)
  return (request) => answer(respond, request, ADVICE)
}

/**
 * Creates an API route of the Pages Router that answers deliveries. Its file must turn Next's body parser off.
 *
 * @param sync as for {@link createNextHandler}
 *
 * @example
 * // pages/api/webhooks/clerk.ts
 * export const config = { api: { bodyParser: false } }
 * export default createNextPagesHandler()
 */
export function createNextPagesHandler(
  sync?: SyncSource,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const respond = createResponder(sync)
  return (request, response) => answerNode(respond, request, response, PAGES_ADVICE)
}
