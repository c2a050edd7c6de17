/** Lets a web handler answer requests of Node's HTTP server: streams both ways, and ends with the connection. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DashboardHandler } from '../dashboard/index.ts'

/** @param stopping ends answers that would go on for ever */
export async function answerByFetch(
  handle: DashboardHandler,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<void> {
  const leaving = new AbortController()
  response.once('close', () => leaving.abort())
  const signal = AbortSignal.any([leaving.signal, stopping])
  const answer = await handle(toWebRequest(request, signal), { remoteAddress: request.socket.remoteAddress })
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  if (answer.body === null || request.method === 'HEAD') response.end()
  // Whoever closes the connection in the middle has seen enough.
  else await pipeline(Readable.fromWeb(answer.body), response).catch(() => undefined)
}

function toWebRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', headers, url = '/' } = request
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return new Request(new URL(url, baseOf(headers.host)), {
    method,
    headers: Object.entries(headers).flatMap(([name, value = '']) =>
      [value].flat().map((each): [string, string] => [name, each]),
    ),
    signal,
    ...(hasBody && { body: Readable.toWeb(request), duplex: 'half' }),
  })
}

/** A name that is none is left to the handler, which reads the header itself. */
function baseOf(host = 'localhost'): string {
  const base = `http://${host}`
  return URL.canParse(base) ? base : 'http://localhost'
}
