#!/usr/bin/env node
/** The executable. Imports the command line only once Node caches what it compiles, which halves every later start. */

import * as nodeModule from 'node:module'
import { isTooOld } from './node-version.ts'

// The reader has gone, as with `| head`. Node ignores the signal that ends other programs then; this is its exit code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 141 : 1)
})

if (isTooOld(process.versions.node)) {
  console.error(`✗ node_too_old\n  clerk-sync needs Node 22.12 or newer; this is ${process.versions.node}.`)
  console.error('  Fix  Install a current Node, from https://nodejs.org or with your version manager.')
  process.exit(1)
}

// Not by name: an older Node lacks it, and would end with a syntax error instead of the message above.
nodeModule.enableCompileCache()
const { run } = await import('./program.ts')
await run(process.argv.slice(2))
