import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Upgrades from every released version: `npm run upgrades`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['test/upgrades/*.upgrade.ts'],
    globalSetup: ['test/support/services.ts'],
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
})
