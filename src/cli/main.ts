#!/usr/bin/env node
/** The executable. Imports the command line only once Node caches what it compiles, which halves every later start. */

import { enableCompileCache } from 'node:module'

// The reader has gone, as with `| head`. Node ignores the signal that ends other programs then; this is its exit code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 141 : 1)
})

enableCompileCache()
const { run } = await import('./program.ts')
await run(process.argv.slice(2))
