import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The frameworks' own apps: `npm run frameworks`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/frameworks/*.framework.ts'],
    globalSetup: ['test/support/services.ts', 'test/frameworks/install.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 15_000 } },
  },
})
