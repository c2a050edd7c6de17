/** `/metrics` on a port of its own, for where the server's own port is open to the world. */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeListener } from '../dashboard/index.ts'
import type { Metrics } from '../metrics/index.ts'

export const METRICS_PATH = '/metrics'

export type MetricsListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export function metricsListener(metrics: Metrics): MetricsListener {
  return toNodeListener((request) => metrics.fetch(request))
}

export class MetricsServer {
  readonly #http: Server

  constructor(listener: MetricsListener) {
    this.#http = createServer((request, response) => {
      const isAsked = request.url?.split('?', 1)[0] === METRICS_PATH
      if (isAsked) void listener(request, response).catch(() => response.destroy())
      else response.writeHead(404).end()
    })
    // Scrapers come one at a time.
    this.#http.maxConnections = 100
  }

  /** @returns the port */
  async listen(port: number, host: string): Promise<number> {
    await once(this.#http.listen(port, host), 'listening')
    return (this.#http.address() as AddressInfo).port
  }

  close(): void {
    this.#http.close()
    this.#http.closeAllConnections()
  }
}
