import { defineConfig } from 'vitest/config'

/** Run from the root, which has the tests' services. */
export default defineConfig({
  test: {
    include: ['bench/*.test.ts'],
    globalSetup: ['test/support/services.ts'],
    testTimeout: 120_000,
  },
})
