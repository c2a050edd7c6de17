/**
 * The webhook route for Next.js, App Router and Pages Router, on the Node.js runtime.
 *
 * Serverless functions stop once they have answered; everything is committed by then.
 *
 * @module clerk-sync/next
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type ClerkSync,
  createDrainResponder,
  createResponder,
  type SyncSource,
  sharedClerkSync,
} from '../index.ts'
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
export function createNextHandler(
  sync?: SyncSource,
  { after }: NextHandlerOptions = {},
): (request: Request) => Promise<Response> {
  const source = once(sync ?? sharedClerkSync)
  const respond = createResponder(source)
  return async (request) => {
    const response = await answer(respond, request, ADVICE)
    if (response.ok) after?.(() => source().drain({ maxSeconds: AFTER_SECONDS }))
    return response
  }
}

/** Handlers that failed, or take longer, are the drain route's. */
const AFTER_SECONDS = 20

export interface NextHandlerOptions {
  /** `after` of `next/server`: runs the handlers of a delivery once it was answered. */
  readonly after?: ((task: () => Promise<unknown>) => void) | undefined
}

/** Makes the sync once, however often it is asked for. */
function once(source: SyncSource): () => ClerkSync {
  let made: ClerkSync | undefined
  return () => {
    made ??= typeof source === 'function' ? source() : source
    return made
  }
}

/**
 * Creates a route handler of the App Router that runs the handlers that are due, for a cron job that sends CRON_SECRET.
 *
 * @param sync as for {@link createNextHandler}
 *
 * @example
 * // app/api/clerk-sync/drain/route.ts
 * export const GET = createNextDrain(() => sharedClerkSync(config))
 */
export function createNextDrain(sync?: SyncSource): (request: Request) => Promise<Response> {
  const respond = createDrainResponder(sync)
  return async ({ headers }) => {
    const reply = await respond(headers.get('authorization'))
    return new Response(reply.body, reply)
  }
}

/**
 * Creates an API route of the Pages Router that runs the handlers that are due, as {@link createNextDrain}.
 *
 * @param sync as for {@link createNextHandler}
 *
 * @example
 * // pages/api/clerk-sync/drain.ts
 * export default createNextPagesDrain(() => sharedClerkSync(config))
 */
export function createNextPagesDrain(
  sync?: SyncSource,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const respond = createDrainResponder(sync)
  return async ({ headers }, response) => {
    const reply = await respond(headers.authorization)
    response.writeHead(reply.status, reply.headers).end(reply.body)
  }
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
