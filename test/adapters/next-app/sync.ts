/** The sync of whichever test sends requests: the app runs in the tests' own process. */

import {
  createDashboardHandler,
  type DashboardHandler,
  type DashboardOptions,
} from '../../../src/dashboard/index.ts'
import type { ClerkSync } from '../../../src/index.ts'

const UNDER_TEST = Symbol.for('clerk-sync.under-test')
const holder = globalThis as { [UNDER_TEST]?: ClerkSync }

export function testWith(sync: ClerkSync): void {
  holder[UNDER_TEST] = sync
}

export const syncUnderTest = {
  handle: (request) => (holder[UNDER_TEST] as ClerkSync).handle(request),
} as ClerkSync

/** A dashboard of that sync, made when it is first asked. */
export function dashboardUnderTest(options: DashboardOptions): (request: Request) => Promise<Response> {
  let handler: DashboardHandler | undefined
  return (request) => {
    handler ??= createDashboardHandler(holder[UNDER_TEST] as ClerkSync, options)
    return handler(request)
  }
}
