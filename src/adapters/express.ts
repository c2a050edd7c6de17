/**
 * The webhook route for Express.
 *
 * @module clerk-sync/express
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createResponder, type SyncSource } from '../index.ts'
import { answer } from './node-request.ts'

const ADVICE =
  'a body parser ran first; move the line with createExpressHandler() above app.use(express.json()) and other parsers'

/**
 * Creates a route handler that answers deliveries. It belongs above `express.json()`: the signature covers the bytes.
 *
 * @param sync the default is one made from the environment at the first request
 *
 * @example
 * app.post('/api/webhooks/clerk', createExpressHandler())
 * app.use(express.json())
 */
export function createExpressHandler(
  sync?: SyncSource,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const respond = createResponder(sync)
  return (request, response) => answer(respond, request, response, ADVICE)
}
