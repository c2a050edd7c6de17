/** Bundles the Worker as `wrangler deploy` does, and serves it with Cloudflare's own runtime. */

import { builtinModules, createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'

const {
  PORT,
  RELAY_URL,
  DATABASE_URL = 'postgres://u:p@127.0.0.1/none',
  CLERK_WEBHOOK_SIGNING_SECRET = '',
} = process.env
const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url))
const builtins = builtinModules.filter((name) => !/^[_/]|:/.test(name)).map((name) => [name, `node:${name}`])
const realPackage = createRequire(import.meta.url).resolve('clerk-sync')

await build({
  entryPoints: [fileOf(RELAY_URL ? 'read.ts' : 'src/worker.ts')],
  outfile: fileOf('build/worker.js'),
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'import', 'default'],
  external: ['node:*', 'cloudflare:*', '@electric-sql/pglite'],
  alias: {
    ...Object.fromEntries(builtins),
    ...(RELAY_URL && { 'clerk-sync': fileOf('relayed.mjs') }),
    'real-clerk-sync': realPackage,
  },
  define: { RELAY_URL: JSON.stringify(RELAY_URL ?? '') },
  logLevel: 'error',
})

const url = new URL(DATABASE_URL)
// Miniflare wants a password, which a Postgres that trusts this machine ignores.
url.password ||= 'none'
const miniflare = new Miniflare({
  port: Number(PORT),
  host: '127.0.0.1',
  modules: true,
  scriptPath: fileOf('build/worker.js'),
  compatibilityDate: '2026-05-01',
  compatibilityFlags: ['nodejs_compat'],
  bindings: { CLERK_WEBHOOK_SIGNING_SECRET, CLERK_SYNC_SCHEMA: process.env.CLERK_SYNC_SCHEMA ?? 'clerk' },
  hyperdrives: { HYPERDRIVE: url.href },
})
await miniflare.ready
