/** The dashboard behind a real server, asked as through the handler itself. */

import { onTestFinished } from 'vitest'
import {
  createDashboardHandler,
  type DashboardHandler,
  type DashboardOptions,
} from '../../src/dashboard/index.ts'
import type { ClerkSync } from '../../src/index.ts'
import { startServer } from '../../src/server/server.ts'

/** Stops after the test. */
export async function serve(sync: ClerkSync, options: DashboardOptions = {}): Promise<DashboardHandler> {
  const server = await startServer({ sync, port: 0, dashboard: createDashboardHandler(sync, options) })
  onTestFinished(async () => {
    await server.stop()
  })
  return over(`http://127.0.0.1:${server.port}`)
}

/** Sends what is asked to the server at an address. */
export function over(address: string): DashboardHandler {
  return (request) => {
    const { pathname, search } = new URL(request.url)
    return fetch(new Request(new URL(pathname + search, address), request))
  }
}
