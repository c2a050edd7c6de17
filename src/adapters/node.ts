/**
 * The webhook route for Node's own HTTP server, and for every framework that hands over its request.
 *
 * @module clerk-sync/node
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createResponder, type SyncSource } from '../index.ts'
import { answer } from './node-request.ts'

const ADVICE = 'something read the request before; call the handler first, with the untouched request'

/**
 * Creates a request listener that answers deliveries. Which requests are deliveries is the server's routing.
 *
 * @param sync the default is one made from the environment at the first request
 *
 * @example
 * createServer(createNodeHandler(createClerkSync())).listen(3000)
 */
export function createNodeHandler(
  sync?: SyncSource,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const respond = createResponder(sync)
  return (request, response) => answer(respond, request, response, ADVICE)
}
