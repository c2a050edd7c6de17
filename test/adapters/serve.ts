/** Servers for the adapters that are no framework of their own: Node's, and one that hands over web requests. */

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Served } from './contract.ts'

/** Serves with a listener of Node's HTTP server. */
export async function listen(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port, stop: () => stop(server) }
}

/** Serves with a function of web requests. */
export function listenToRequests(fetch: (request: Request) => Response | Promise<Response>): Promise<Served> {
  return listen(getRequestListener(fetch))
}

async function stop(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
