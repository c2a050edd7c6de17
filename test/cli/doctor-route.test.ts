import { mkdir, writeFile } from 'node:fs/promises'
import type { OutgoingHttpHeaders, RequestListener } from 'node:http'
import { join } from 'node:path'
import express from 'express'
import { Webhook } from 'svix'
import { beforeAll, describe, expect, it } from 'vitest'
import { createExpressHandler } from '../../src/adapters/express.ts'
import { createNodeHandler } from '../../src/adapters/node.ts'
import type { CheckedResult } from '../../src/doctor/check.ts'
import { runChecks } from '../../src/doctor/check.ts'
import { Project } from '../../src/doctor/project.ts'
import { routeCheck } from '../../src/doctor/route.ts'
import type { ClerkSync } from '../../src/index.ts'
import { probeHeaders } from '../../src/webhook/probe.ts'
import { temporaryFolder } from '../support/cli.ts'
import { embeddedDatabase, SECRET } from '../support/databases.ts'
import { serveHttp } from '../support/http.ts'

const OTHER_SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'

interface Probe {
  readonly secret?: string | undefined
  readonly timeoutMs?: number
  readonly folder?: string
}

/** What the doctor says of an address. */
async function probe(
  address: string,
  { timeoutMs = 5_000, folder = '/nowhere', ...rest }: Probe = {},
): Promise<CheckedResult[]> {
  const secret = 'secret' in rest ? rest.secret : SECRET
  const url = new URL(address)
  return runChecks([routeCheck({ url, secret, timeoutMs, project: new Project(folder) })])
}

async function verdictOn(listener: RequestListener, options?: Probe): Promise<CheckedResult> {
  const results = await probe(`${await serveHttp(listener)}/api/webhooks/clerk`, options)
  return results[0] as CheckedResult
}

const answer =
  (status: number, headers: OutgoingHttpHeaders = {}, body = 'no'): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

describe('the route, as the doctor sees it', () => {
  const database = embeddedDatabase()
  let sync: ClerkSync
  let handle: ReturnType<typeof createNodeHandler>

  beforeAll(async () => {
    sync = await database.open()
    handle = createNodeHandler(sync)
  })

  it('counts no probe of its own, and every request that only claims to be one', async () => {
    const counted = embeddedDatabase()
    const route = await counted.open()
    const origin = await serveHttp(createNodeHandler(route))
    await probe(`${origin}/api/webhooks/clerk`)
    const at = Math.floor(Date.now() / 1000)
    const claims: Record<string, string>[] = [
      { 'clerk-sync-probe': '1' },
      { 'clerk-sync-probe': `${at} v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=` },
      probeHeaders(OTHER_SECRET, Date.now()),
      probeHeaders(SECRET, Date.now() - 301_000),
    ]
    for (const claim of claims) await fetch(origin, { method: 'POST', headers: claim, body: '{}' })
    await route.close()
    const again = await counted.open()
    const rows = await again.database.selectFrom('refusals').select(['code', 'requests']).execute()
    expect(rows).toEqual([{ code: 'headers_missing', requests: claims.length }])
  })

  it('is well when clerk-sync answers with this secret, and nothing is recorded', async () => {
    expect(await verdictOn(handle)).toMatchObject({
      status: 'passed',
      message: expect.stringContaining('clerk-sync answers'),
    })
    expect(await sync.database.selectFrom('events').selectAll().execute()).toEqual([])
  })

  it('counts no refused request for having been looked at', async () => {
    const own = await database.open()
    await verdictOn(createNodeHandler(own))
    // Which writes down what was counted.
    await own.close()
    expect(await sync.database.selectFrom('refusals').selectAll().execute()).toEqual([])
  })

  it('is well when somebody else’s code verifies the raw bytes', async () => {
    const verify = async (request: Parameters<RequestListener>[0]) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of request) chunks.push(chunk)
      new Webhook(SECRET).verify(Buffer.concat(chunks).toString(), request.headers as Record<string, string>)
    }
    const listener: RequestListener = (request, response) => {
      verify(request).then(
        () => response.end('ok'),
        () => response.writeHead(400).end('no'),
      )
    }
    expect(await verdictOn(listener)).toMatchObject({
      status: 'passed',
      message: expect.stringContaining('A webhook route answers'),
    })
  })

  it('is reached where no secret is set here', async () => {
    expect(await verdictOn(handle, { secret: undefined })).toMatchObject({ status: 'passed' })
    expect(await verdictOn(answer(404), { secret: undefined })).toMatchObject({ code: 'route_not_found' })
  })

  it('has another secret', async () => {
    expect(await verdictOn(handle, { secret: OTHER_SECRET })).toMatchObject({ code: 'secret_differs' })
  })

  it('is behind a body parser: the line of this project is named', async () => {
    const folder = join(await project(), 'parser')
    await mkdir(folder)
    await writeFile(join(folder, 'server.js'), '// app\napp.use(express.json())\n')
    const app = express().use(express.json()).post('/api/webhooks/clerk', createExpressHandler(sync))
    const result = await verdictOn(app, { folder })
    expect(result).toMatchObject({
      code: 'body_already_parsed',
      remedy: expect.stringMatching(/^server\.js:2\. /),
    })
  })

  it('verifies what it wrote itself from a parsed body', async () => {
    const app = express()
      .use(express.json())
      .post('/api/webhooks/clerk', (request, response) => {
        try {
          new Webhook(SECRET).verify(JSON.stringify(request.body), request.headers as Record<string, string>)
          response.send('ok')
        } catch {
          response.status(400).send('no')
        }
      })
    expect(await verdictOn(app)).toMatchObject({ code: 'body_rewritten' })
  })

  it('is behind a proxy that strips the headers', async () => {
    const stripping: RequestListener = (request, response) => {
      for (const name of Object.keys(request.headers))
        if (name.startsWith('svix-')) delete request.headers[name]
      void handle(request, response)
    }
    expect(await verdictOn(stripping)).toMatchObject({ code: 'headers_missing' })
  })

  it('has a database that lacks its tables', async () => {
    const broken = (request: Parameters<RequestListener>[0], response: Parameters<RequestListener>[1]) =>
      void (request.headers['svix-id']
        ? response.writeHead(503).end('{"error":"database_outdated","ref":"rej_1"}')
        : handle(request, response))
    expect(await verdictOn(broken)).toMatchObject({
      code: 'database_outdated',
      remedy: 'Run `clerk-sync migrate`.',
    })
  })

  it('is slow, or too slow for Svix', async () => {
    const slow: RequestListener = (request, response) => {
      const wait = request.headers['svix-id'] ? 500 : 0
      setTimeout(() => void handle(request, response), wait)
    }
    const address = `${await serveHttp(slow)}/x`
    expect((await probe(address, { timeoutMs: 1_400 })).map(({ code }) => code)).toEqual([null, 'route_slow'])
    expect((await probe(address, { timeoutMs: 100 })).map(({ code }) => code)).toEqual(['route_slow'])
  })

  it.each<[what: string, code: string, listener: RequestListener, says?: string]>([
    ['is missing', 'route_not_found', answer(404, { 'content-type': 'text/html' })],
    ['does not answer POST', 'method_not_allowed_by_route', answer(405)],
    [
      'is missing in an app with Clerk’s middleware',
      'route_not_found',
      answer(404, { 'x-clerk-auth-status': 'signed-out', 'x-clerk-auth-reason': 'dev-browser-missing' }),
    ],
    [
      'is answered 404 by Clerk’s middleware',
      'route_protected',
      answer(404, {
        'x-clerk-auth-status': 'signed-out',
        'x-clerk-auth-reason': 'protect-rewrite, token-missing',
      }),
    ],
    [
      'is answered 404 by Clerk’s middleware, by a rewrite',
      'route_protected',
      answer(404, { 'x-clerk-auth-status': 'signed-out', 'x-middleware-rewrite': '/clerk_1727999' }),
    ],
    [
      'is answered by Vite',
      'host_not_allowed',
      answer(
        403,
        { 'content-type': 'text/plain' },
        'Blocked request. This host ("a.ngrok-free.app") is not allowed.\nTo allow this host, add "a.ngrok-free.app" to `server.allowedHosts` in vite.config.js.',
      ),
    ],
    ['is answered by webpack’s server', 'host_not_allowed', answer(403, {}, 'Invalid Host header')],
    [
      'is a function of Supabase that verifies a JWT',
      'function_verifies_jwt',
      answer(
        401,
        { 'content-type': 'application/json' },
        '{"code":401,"message":"Missing authorization header"}',
      ),
    ],
    [
      'is behind a guard of previews',
      'preview_guarded',
      answer(403, {}, 'Preview automation bypass required'),
    ],
    [
      'is behind a proxy without an app',
      'proxy_failed',
      answer(502, { server: 'nginx' }, '<html>502 Bad Gateway</html>'),
    ],
    [
      'is behind a tunnel without an app',
      'proxy_failed',
      answer(404, { 'ngrok-error-code': 'ERR_NGROK_3200' }),
    ],
    ['is behind Cloudflare without an app', 'proxy_failed', answer(522)],
    [
      'is behind Cloudflare Access',
      'cloudflare_access',
      answer(302, { location: 'https://a.cloudflareaccess.com/x' }),
    ],
    [
      'is answered 401 by Clerk’s middleware',
      'route_protected',
      answer(401, { 'x-clerk-auth-reason': 'token-missing' }),
    ],
    [
      'is sent to a sign-in page',
      'route_protected',
      answer(307, {
        location: 'https://foo.accounts.dev/sign-in?redirect_url=x',
        'x-clerk-auth-status': 'signed-out',
      }),
    ],
    [
      'is behind Vercel’s protection',
      'vercel_protection',
      answer(401, { server: 'Vercel', 'set-cookie': '_vercel_sso_nonce=x' }),
      'Vercel’s',
    ],
    [
      'is behind Vercel’s protection, by a redirect',
      'vercel_protection',
      answer(302, { location: 'https://vercel.com/sso-api?url=x' }),
      'Vercel’s',
    ],
    [
      'is behind a password',
      'password_wall',
      answer(401, { 'www-authenticate': 'Basic realm="x"' }),
      'basic',
    ],
    [
      'is behind a challenge',
      'cloudflare_challenge',
      answer(403, { 'cf-mitigated': 'challenge' }),
      'Cloudflare',
    ],
    ['is behind an unknown login', 'login_wall', answer(403)],
    [
      'redirects to https',
      'redirected',
      (request, response) =>
        void response.writeHead(308, { location: `https://${request.headers.host}${request.url}` }).end(),
      'from http to https',
    ],
    [
      'redirects to www',
      'redirected',
      answer(301, { location: 'http://www.example.com/api/webhooks/clerk' }),
      'to another host, to http://www.example.com/',
    ],
    [
      'redirects to a slash',
      'redirected',
      answer(308, { location: '/api/webhooks/clerk/' }),
      'because of the trailing slash',
    ],
    [
      'redirects to a language',
      'redirected_to_language',
      answer(307, { location: '/en/api/webhooks/clerk' }),
    ],
    ['is a page', 'page_answered', answer(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>')],
    ['accepts everything', 'unsigned_accepted', answer(200)],
    [
      'runs on the edge',
      'edge_runtime',
      answer(500, {}, "The edge runtime does not support Node.js 'net' module."),
    ],
    [
      'is a function that timed out',
      'route_slow',
      answer(504, { 'x-vercel-error': 'FUNCTION_INVOCATION_TIMEOUT' }),
    ],
    ['crashes', 'route_failed', answer(500)],
    ['refuses', 'delivery_refused', answer(422)],
    ['hangs up', 'server_unreachable', (request) => void request.socket.destroy(), 'closed the connection'],
  ])('%s: %s', async (_, code, listener, says = '') => {
    const result = await verdictOn(listener)
    expect(result).toMatchObject({ status: 'problem', code, message: expect.stringContaining(says) })
    expect(result.remedy).toBeTruthy()
  })

  it('is protected in a file of this project', async () => {
    const folder = join(await project(), 'protected')
    await mkdir(join(folder, 'src'), { recursive: true })
    await writeFile(
      join(folder, 'src/proxy.ts'),
      'export default clerkMiddleware(async (auth) => {\n  await auth.protect()\n})\n',
    )
    const result = await verdictOn(answer(401, { 'x-clerk-auth-status': 'signed-out' }), { folder })
    expect(result.remedy).toMatch(/^src\/proxy\.ts:2\. Use a bare clerkMiddleware\(\)/)
  })

  it.each([
    ['src/app/(hooks)/api/hooks/clerk/route.ts', '/api/hooks/clerk'],
    ['app/webhooks/route.js', '/webhooks'],
    ['pages/api/webhook.ts', '/api/webhook'],
    ['src/pages/api/clerk/index.ts', '/api/clerk'],
  ])('is elsewhere in this project: %s', async (file, path) => {
    const folder = join(await project(), path.replaceAll('/', '-'))
    await mkdir(join(folder, file, '..'), { recursive: true })
    await writeFile(join(folder, file), "export { POST } from 'clerk-sync/next'\n")
    const result = await verdictOn(answer(404), { folder })
    expect(result.remedy).toContain(`${file} is served at ${path}. Check the path`)
  })

  it('is where this project has it, and is missing all the same', async () => {
    const folder = join(await project(), 'deployed-before')
    await mkdir(join(folder, 'app/api/webhooks/clerk'), { recursive: true })
    await writeFile(
      join(folder, 'app/api/webhooks/clerk/route.ts'),
      "export { POST } from 'clerk-sync/next'\n",
    )
    expect((await verdictOn(answer(404), { folder })).remedy).toMatch(/^Check the path/)
  })

  it('is not there, or has no certificate, or is no host', async () => {
    const plain = await serveHttp(handle)
    const codes = async (address: string) => (await probe(address)).map(({ code }) => code)
    expect(await codes('http://127.0.0.1:2/x')).toEqual(['server_unreachable'])
    expect(await codes(plain.replace('http:', 'https:'))).toEqual(['tls_failed'])
    expect(await codes('http://nowhere.invalid/x')).toEqual(['url_insecure', 'server_unreachable'])
  })

  const project = temporaryFolder()
})

describe('a check', () => {
  it('that breaks or hangs is a problem, and not the end of the others', async () => {
    const check = (name: string, run: () => Promise<never[]>) =>
      ({ group: 'clock', name, limitMs: 50, run }) as const
    const results = await runChecks([
      check('breaks', () => Promise.reject(new Error('boom'))),
      check('hangs', () => new Promise(() => undefined)),
      check('works', async () => []),
    ])
    expect(results.map(({ check, code }) => [check, code])).toEqual([
      ['breaks', 'check_failed'],
      ['hangs', 'check_timed_out'],
    ])
  })
})
