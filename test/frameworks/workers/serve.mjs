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

/** As wrangler does under `nodejs_compat`: Node's modules are the runtime's, and `require` of one becomes an import. */
const nodeModules = {
  name: 'node-modules',
  setup({ onResolve, onLoad }) {
    const names = builtinModules.filter((name) => !/^_|:/.test(name)).join('|')
    onResolve({ filter: new RegExp(`^(node:)?(${names})$`) }, ({ path, kind }) => {
      const name = path.startsWith('node:') ? path : `node:${path}`
      return kind === 'require-call' ? { path: name, namespace: 'required' } : { path: name, external: true }
    })
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `import all from '${path}'\nmodule.exports = all`,
    }))
  },
}
const realPackage = createRequire(import.meta.url).resolve('clerk-sync')

await build({
  entryPoints: [fileOf(RELAY_URL ? 'read.ts' : 'src/worker.ts')],
  outfile: fileOf('build/worker.js'),
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  external: ['cloudflare:*', '@electric-sql/pglite'],
  alias: {
    ...(RELAY_URL && { 'clerk-sync': fileOf('relayed.mjs') }),
    'real-clerk-sync': realPackage,
  },
  plugins: [nodeModules],
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
