/** The webhook route for Node's own HTTP server, and for every framework that hands over its request. `clerk-sync/node` */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClerkSync } from '../index.ts'

/**
 * Creates a request listener that answers deliveries. Which requests are deliveries is the server's routing.
 *
 * @example
 * createServer(createNodeHandler(createClerkSync())).listen(3000)
 */
export function createNodeHandler(
  sync: ClerkSync,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { method, headers } = request
    const reply = await sync.handle({ method, headers, body: request })
    // What is left of a refused body would be taken for the next request.
    if (!request.complete) response.setHeader('connection', 'close')
    response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) })
    response.end(reply.body)
  }
}
