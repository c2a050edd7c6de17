/** The dashboard on Node's HTTP server and on frameworks that hand over its requests: streams both ways. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { DashboardHandler } from './dashboard.ts'

/** Express cuts the path it mounted something at off `url`. */
interface MountedRequest extends IncomingMessage {
  readonly originalUrl?: string
}

/**
 * Makes a request listener of the dashboard, for Node's server and for Express. Before body parsers.
 *
 * @example
 * app.use('/dashboard', toNodeListener(createDashboardHandler(sync)))
 *
 * @param stopping ends what would go on for ever: the live streams
 */
export function toNodeListener(
  handle: DashboardHandler,
  stopping?: AbortSignal,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const leaving = new AbortController()
    response.once('close', () => leaving.abort())
    const signal = stopping ? AbortSignal.any([leaving.signal, stopping]) : leaving.signal
    const { remoteAddress } = request.socket
    const asked = toWebRequest(request, signal)
    if (asked === undefined) return refuse(request, response)
    const answer = await handle(asked, { remoteAddress })
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (answer.body === null || request.method === 'HEAD') response.end()
    // A client may close the connection at any time.
    else await pipeline(Readable.fromWeb(answer.body), response).catch(() => undefined)
  }
}

/** The connection is closed, because the body stays unread. */
function refuse({ method }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(method === 'TRACE' ? 501 : 400, { connection: 'close' }).end()
}

/** Undefined for what Node takes and the web has no request for: TRACE, or a user's name before the host's. */
function toWebRequest(request: MountedRequest, signal: AbortSignal): Request | undefined {
  try {
    return translate(request, signal)
  } catch {
    return undefined
  }
}

function translate(request: MountedRequest, signal: AbortSignal): Request {
  const { method = 'GET', headers, url = '/', originalUrl = url } = request
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return new Request(new URL(originalUrl, baseOf(headers.host)), {
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
