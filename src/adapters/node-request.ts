/** What the adapters on Node's HTTP server share: the exact bytes of a request, and the answer to it. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RawBody, Responder } from '../index.ts'

/** Node's request, with what body parsers leave on it. */
export interface NodeRequest extends IncomingMessage {
  /** Bytes, if `express.raw()` ran. */
  readonly body?: unknown
  /** Where hosts and parsers keep the bytes beside what they made of them: Cloud Functions, Nest, `verify` of Express. */
  readonly rawBody?: unknown
}

/**
 * The exact bytes: the stream if nobody touched it, else the bytes that a parser kept, else null. Text that a parser
 * decoded does not count: a byte order mark and invalid bytes are lost in it.
 */
export function bodyOf(request: NodeRequest): RawBody | null {
  if (isUntouched(request)) return request
  const { rawBody, body } = request
  if (Buffer.isBuffer(rawBody)) return rawBody
  return Buffer.isBuffer(body) ? body : null
}

function isUntouched({ readableDidRead, readableFlowing, readableEncoding }: NodeRequest): boolean {
  return !readableDidRead && readableFlowing === null && readableEncoding === null
}

/** Answers a request. @param advice what to change in the app if the bytes are gone */
export async function answer(
  respond: Responder,
  request: NodeRequest,
  response: ServerResponse,
  advice: string,
): Promise<void> {
  const { method, headers, socket } = request
  const { remoteAddress } = socket
  const reply = await respond({ method, headers, body: bodyOf(request), advice, remoteAddress })
  // Somebody else did meanwhile: a middleware that limits the time, for instance.
  if (response.headersSent) return
  // What is left of a refused body would be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close')
  response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(reply.body) })
  response.end(reply.body)
}
