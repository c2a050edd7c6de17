/**
 * The webhook route for Fastify.
 *
 * @module clerk-sync/fastify
 */

import type { IncomingMessage } from 'node:http'
import { createResponder, type SyncSource } from '../index.ts'
import { bodyOf } from './node-request.ts'

/** What is used of Fastify's request. */
interface Request {
  readonly raw: IncomingMessage
}

/** What is used of Fastify's reply. */
interface Reply {
  code(status: number): this
  headers(headers: Record<string, string>): this
  send(body: string): this
}

/** The options of a route: `app.post(path, options)`. */
export interface FastifyRoute {
  onRequest(request: Request, reply: Reply): Promise<Reply>
  handler(request: Request, reply: Reply): Promise<Reply>
}

const ADVICE = 'an onRequest hook read request.raw first; register that hook for other routes only'

/**
 * Creates a route that answers deliveries. It does so before Fastify parses the body, so that the app's content type
 * parsers and body limit neither matter to this route nor change for others.
 *
 * @param sync the default is one made from the environment at the first request
 *
 * @example
 * app.post('/api/webhooks/clerk', createFastifyHandler())
 */
export function createFastifyHandler(sync?: SyncSource): FastifyRoute {
  const respond = createResponder(sync)
  const answer = async ({ raw }: Request, reply: Reply) => {
    const { method, headers, socket } = raw
    const { remoteAddress } = socket
    const {
      status,
      headers: own,
      body,
    } = await respond({ method, headers, body: bodyOf(raw), advice: ADVICE, remoteAddress })
    // What is left of a refused body would be taken for the next request.
    const all = raw.complete ? own : { ...own, connection: 'close' }
    return reply.code(status).headers(all).send(body)
  }
  // Fastify wants a handler, but a reply sent by a hook ends the request there.
  return { onRequest: answer, handler: answer }
}
