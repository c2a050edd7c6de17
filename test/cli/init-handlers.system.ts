/** From `init` to the effect of a handler, in an app that is built and started as a team does it. */

import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltPackage, buildPackage, copyPackage } from '../support/built.ts'
import { jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { APPS, createProject, type Files, MODULES, manifest, TSCONFIG } from './apps.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const NEXT = join(MODULES, 'next/dist/bin/next')
const ROUTE = '/api/webhooks/clerk'
const DRAIN = '/api/clerk-sync/drain'
const CRON_SECRET = 'a secret of the cron job'
const folder = temporaryFolder()
let built: BuiltPackage

beforeAll(async () => {
  built = await buildPackage()
}, 120_000)
afterAll(() => built[Symbol.asyncDispose]())

/** Fails once, so that it also takes whoever tries again. */
const configOf = (isFailing: boolean) => `import { appendFileSync } from 'node:fs'
import { defineConfig, on } from 'clerk-sync'

let isFirst = ${isFailing}
export default defineConfig({
  handlers: [
    on('user.created', async ({ event, attempt }) => {
      if (isFirst) {
        isFirst = false
        throw new Error('the first try fails')
      }
      appendFileSync(process.env.EFFECTS ?? '', ['welcome', event.data.id, attempt].join(' ') + '\\n')
    }, { name: 'welcome', retries: [0] }),
  ],
})
`

interface App {
  readonly origin: string
  effects(): Promise<string>
}

/** Starts an app and stops it when the work is done. */
async function withApp(
  cwd: string,
  command: (port: number) => readonly string[],
  work: (app: App) => Promise<void>,
): Promise<void> {
  const [port, effects] = [await freePort(), join(await folder(), `effects-${randomUUID()}`)]
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_ENV: 'production',
    CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
    CRON_SECRET,
    EFFECTS: effects,
    NEXT_TELEMETRY_DISABLED: '1',
    PORT: String(port),
  } as unknown as NodeJS.ProcessEnv
  const app = spawn(process.execPath, [...command(port)], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: string[] = []
  for (const stream of [app.stdout, app.stderr]) stream.on('data', (chunk) => output.push(String(chunk)))
  try {
    const origin = await originOf(app, output, port)
    await work({ origin, effects: () => readFile(effects, 'utf8').catch(() => '') })
  } catch (error) {
    throw new Error(`${String(error)}\n${output.join('')}`, { cause: error })
  } finally {
    const ended = once(app, 'close')
    if (app.exitCode === null) {
      app.kill()
      await ended
    }
  }
}

/** Servers tell their port; Next.js is told its own. */
async function originOf(
  app: { readonly exitCode: number | null },
  output: readonly string[],
  port: number,
): Promise<string> {
  for (;;) {
    const [, told] = /^port (\d+)/m.exec(output.join('')) ?? []
    const origin = `http://localhost:${told ?? port}`
    const isThere = await fetch(origin).then(
      () => true,
      () => false,
    )
    if (isThere) return origin
    if (app.exitCode !== null) throw new Error('the app does not start')
    await sleep(100)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function deliver(origin: string, id: string): Promise<void> {
  const { headers, body } = sign(eventOf('user.created', { id }))
  const post = () => fetch(origin + ROUTE, { method: 'POST', headers, body })
  let response = await post()
  // The first delivery may wait longer for the database to open than one delivery may wait.
  while (response.status === 503) response = await post()
  expect(response.status).toBe(200)
}

async function init(project: string): Promise<readonly string[]> {
  const { stdout, stderr } = await runCli(['init', '--json', '--yes'], { cwd: project })
  expect(stderr).toBe('')
  return (jsonLines(stdout)[0] as unknown as { paste: readonly string[] }).paste
}

describe.each(Object.keys(APPS))('a handler in the configuration of an app of %s', (framework) => {
  const dependencies: Files = framework === 'node' ? {} : { [framework]: '*' }

  async function pasted(project: string): Promise<string> {
    const [imports = '', ...mount] = await init(project)
    return APPS[framework]?.(imports, mount.join('\n')) as string
  }

  it('runs, in JavaScript', async () => {
    const files = { 'package.json': manifest(dependencies, { type: 'module' }) }
    const project = await createProject(built, join(await folder(), `js-${framework}`), files)
    const text = (await pasted(project)).replace(/^import type .*\n/gm, '')
    await writeFile(join(project, 'server.js'), stripTypeScriptTypes(text))
    await writeFile(join(project, 'clerk-sync.config.js'), configOf(false))
    await withApp(
      project,
      () => ['server.js'],
      async ({ origin, effects }) => {
        await deliver(origin, 'user_js')
        await expect.poll(effects, { timeout: 20_000 }).toBe('welcome user_js 1\n')
      },
    )
  })

  it('runs, and again after a failure, in TypeScript that is compiled from src', async () => {
    const project = await createProject(built, join(await folder(), `ts-${framework}`), {
      'package.json': manifest(dependencies, { type: 'module' }),
      'tsconfig.json': TSCONFIG,
      'src/.keep': '',
    })
    await writeFile(join(project, 'src/server.ts'), await pasted(project))
    await writeFile(join(project, 'src/clerk-sync.config.ts'), configOf(true))
    const words = ['--noEmit', 'false', '--rootDir', 'src', '--outDir', 'built']
    const compiled = await run(join(MODULES, '.bin/tsc'), ['-p', project, ...words], { cwd: project }).catch(
      (error) => error,
    )
    expect(compiled.stdout).toBe('')
    await withApp(
      project,
      () => ['built/server.js'],
      async ({ origin, effects }) => {
        await deliver(origin, 'user_ts')
        await expect.poll(effects, { timeout: 30_000 }).toBe('welcome user_ts 2\n')
      },
    )
    // The command line finds the same handlers.
    const { stdout } = await runCli(['handlers', 'list', '--json'], { cwd: project })
    expect(stdout).toContain('"name":"welcome"')
  })
})

const LAYOUT = `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}
`
const PAGE = 'export default function Page() { return <p>here</p> }\n'

describe.each([
  ['App Router', { 'app/layout.tsx': LAYOUT, 'app/page.tsx': PAGE }],
  ['Pages Router', { 'pages/index.tsx': PAGE }],
])('a handler in the configuration of a Next.js app, %s', (router, pages) => {
  let project: string
  afterAll(() => rm(project, { recursive: true, force: true }))

  it('runs, and again when the cron job calls', { timeout: 600_000 }, async () => {
    // Inside the repository, whose Next and React it takes.
    project = await mkdtemp(join(ROOT, 'test/cli/.init-'))
    const files: Files = {
      'package.json': manifest({ next: '*' }),
      'tsconfig.json': '{}',
      'next.config.mjs': "export default { serverExternalPackages: ['@electric-sql/pglite'] }\n",
      ...pages,
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(project, path)), { recursive: true })
      await writeFile(join(project, path), text)
    }
    await copyPackage(built.folder, join(project, 'node_modules/clerk-sync'))
    const paste = await init(project)
    expect(paste).toEqual([expect.stringContaining(DRAIN)])
    await writeFile(join(project, 'vercel.json'), `{ ${paste[0]} }`)
    expect(await init(project)).toEqual([])
    await writeFile(join(project, 'clerk-sync.config.ts'), configOf(true))
    const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' }
    const output = await run(process.execPath, [NEXT, 'build', project], { env }).catch((error) => error)
    expect([output.code, output.code ? output.stdout + output.stderr : '']).toEqual([undefined, ''])

    const start = (port: number) => [NEXT, 'start', project, '-p', String(port)]
    await withApp(project, start, async ({ origin, effects }) => {
      const drain = (secret: string) => {
        const headers = { authorization: `Bearer ${secret}` }
        return fetch(origin + DRAIN, { headers })
      }
      await deliver(origin, 'user_next')
      expect((await drain('a wrong one')).status).toBe(401)
      await expect
        .poll(
          async () => {
            const response = await drain(CRON_SECRET)
            expect(response.status).toBe(200)
            return effects()
          },
          { timeout: 30_000, interval: 500 },
        )
        .toBe('welcome user_next 2\n')
      if (router === 'Pages Router') return
      // After the answer, without the cron job.
      await deliver(origin, 'user_after')
      await expect.poll(effects, { timeout: 20_000 }).toContain('welcome user_after 1\n')
    })
  })
})
