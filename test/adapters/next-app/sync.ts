/** The sync of whichever test sends requests: the app runs in the tests' own process. */

import type { ClerkSync } from '../../../src/index.ts'

const UNDER_TEST = Symbol.for('clerk-sync.under-test')
const holder = globalThis as { [UNDER_TEST]?: ClerkSync }

export function testWith(sync: ClerkSync): void {
  holder[UNDER_TEST] = sync
}

export const syncUnderTest = {
  handle: (request) => (holder[UNDER_TEST] as ClerkSync).handle(request),
} as ClerkSync
