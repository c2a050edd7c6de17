import { execFile } from 'node:child_process'
import { glob, readFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeMounted } from '../dashboard/mounted.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { describeAdapter, type Serve } from './contract.ts'
import { testWith } from './next-app/sync.ts'
import { listen } from './serve.ts'

interface NextApp {
  prepare(): Promise<void>
  getRequestHandler(): RequestListener
  close(): Promise<void>
}

const require = createRequire(import.meta.url)
// Next’s own types would change those of `process.env` in every test.
const createApp: (options: object) => NextApp = require('next')

const dir = fileURLToPath(new URL('next-app', import.meta.url))

/** Keys of an instance that does not exist: Clerk’s middleware looks at their form and needs no network. */
const ENVIRONMENT = {
  NODE_ENV: 'production',
  NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: `pk_test_${btoa('foo.accounts.dev$')}`,
  CLERK_SECRET_KEY: `sk_test_${'a'.repeat(40)}`,
  CLERK_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
} as const

const app = createApp({ dir, dev: false, quiet: true })

beforeAll(async () => {
  Object.assign(process.env, ENVIRONMENT)
  const cli = createRequire(import.meta.url).resolve('next/dist/bin/next')
  await promisify(execFile)(process.execPath, [cli, 'build', dir], {
    env: { ...process.env, ...ENVIRONMENT },
  })
  await app.prepare()
}, 300_000)
afterAll(() => app.close())

/** `next build`, and what `next start` starts, in this process. */
function serveRoute(path: string): Serve {
  return async (sync) => {
    testWith(sync)
    return { ...(await listen(app.getRequestHandler())), path }
  }
}

describeAdapter('Next, App Router', {
  serve: serveRoute('/webhook'),
  readsBodies: true,
  lost: {
    'the Request was read': [
      serveRoute('/read'),
      /hand it over untouched, and read request\.clone\(\) yourself/,
    ],
  },
})

describeAdapter('Next, Pages Router', {
  serve: serveRoute('/api/webhook'),
  readsBodies: true,
  lost: {
    'Next’s body parser': [
      serveRoute('/api/parsed'),
      /add `export const config = \{ api: \{ bodyParser: false \} \}`/,
    ],
  },
})

describeMounted('Next', { serve: serveRoute('/dashboard') })

describe('Clerk’s middleware in front of the route', () => {
  const database = embeddedDatabase()

  it.each([
    ['leaves it alone', '/webhook', 200],
    ['sends the sender to the sign-in if it protects it', '/protected', 307],
  ])('%s', async (_, path, status) => {
    const { port, stop } = await serveRoute(path)(await database.open())
    const { headers, body } = sign(eventOf('user.created'))
    const url = `http://127.0.0.1:${port}${path}`
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' })
    expect([response.status, response.headers.get('x-clerk-auth-status')]).toEqual([status, 'signed-out'])
    await stop()
  })
})

describe('what Next deploys', () => {
  it('traces no embedded database, command line or test tool', async () => {
    const traced: string[] = []
    for await (const path of glob(join(dir, '.next/server/**/*.nft.json'))) {
      traced.push(...JSON.parse(await readFile(path, 'utf8')).files)
    }
    expect(traced.filter((path) => path.includes('node_modules/pg/')).length).toBeGreaterThan(0)
    expect(traced.filter((path) => /@electric-sql\/pglite\/|commander|\/src\//.test(path))).toEqual([])
  })
})
