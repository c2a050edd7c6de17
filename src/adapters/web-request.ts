/** What the adapters on web requests share: the answer to one. */

import type { Responder } from '../index.ts'

/** Answers a request. @param advice what to change in the app if the bytes are gone */
export async function answer(
  respond: Responder,
  request: Request,
  advice: string,
  remoteAddress?: string,
): Promise<Response> {
  const { method, headers, body, bodyUsed } = request
  const reply = await respond({
    method,
    headers,
    body: bodyUsed ? null : (body ?? ''),
    advice,
    remoteAddress,
  })
  return new Response(reply.body, reply)
}
