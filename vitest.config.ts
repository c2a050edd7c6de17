import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // The examples name the package; here that means its sources.
    alias: [{ find: /^clerk-sync$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) }],
    // It imports JSON in a way that only a bundler takes.
    server: { deps: { inline: [/@actions\/workflow-parser/] } },
    globalSetup: ['test/support/services.ts'],
    // A limit for what hangs, not a measure: random histories take a minute on a slow machine.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // Machines that are busy are slow, not wrong.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          // Many wait for a server's answer while others compute.
          maxWorkers: availableParallelism() + 1,
          // What one file loads the next one has: a fifth of the time. Each has a database of its own, and restores what it changes.
          isolate: false,
        },
      },
      {
        // Whole processes that are killed, outages, built apps and a browser: `npm run test:system`.
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.system.ts'],
          // Its programs keep the cores busy: one worker more than two took as long.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
