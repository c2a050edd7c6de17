import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltPackage, buildPackage } from '../support/built.ts'
import { jsonLines, runCli, temporaryFolder } from '../support/cli.ts'
import { SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { describeOnTerminal, Terminal } from '../support/terminal.ts'
import { APPS, createProject as createIn, type Files, MODULES, manifest, TSCONFIG } from './apps.ts'

const run = promisify(execFile)
const ROUTE = '/api/webhooks/clerk'
const folder = temporaryFolder()
let built: BuiltPackage
/** One after the other, all apps share it. */
let database: string

beforeAll(async () => {
  built = await buildPackage()
  const cwd = await folder()
  database = join(cwd, 'database')
  expect(await runCli(['migrate', '--database', database], { cwd })).toMatchObject({ code: 0 })
}, 120_000)
afterAll(() => built[Symbol.asyncDispose]())

/** A project with these files, in which the package is installed. */
async function createProject(name: string, files: Files): Promise<string> {
  return createIn(built, join(await folder(), name), files)
}

interface InitRecord {
  readonly framework: string
  readonly files: readonly { path: string; action: string; written: boolean; diff: string[] }[]
  readonly warning: string | null
  readonly install: string | null
  readonly paste: readonly string[]
  readonly localSecret: { readonly path: string; readonly isNew: boolean } | null
  readonly dashboard: { readonly url: string; readonly events: readonly string[] }
}

async function init(cwd: string, ...args: string[]): Promise<InitRecord> {
  const { stdout, stderr } = await runCli(['init', '--json', ...args], { cwd })
  expect(stderr).toBe('')
  return jsonLines(stdout)[0] as unknown as InitRecord
}

/** Where the route of the cron job stands beside another. */
const drainOf = (route: string) => route.replace('webhooks/clerk', 'clerk-sync/drain')

const read = (project: string, path: string) => readFile(join(project, path), 'utf8')

describe('clerk-sync init', () => {
  it.each([
    ['App Router', { 'app/page.tsx': '' }, 'app/api/webhooks/clerk/route.ts'],
    ['App Router in src', { 'src/app/page.tsx': '' }, 'src/app/api/webhooks/clerk/route.ts'],
    ['Pages Router', { 'pages/index.tsx': '' }, 'pages/api/webhooks/clerk.ts'],
    ['Pages Router in src', { 'src/pages/index.tsx': '' }, 'src/pages/api/webhooks/clerk.ts'],
  ])('writes a route that type-checks for Next.js, %s', async (name, files: Files, route) => {
    const project = await createProject(name.replaceAll(' ', '-'), {
      'package.json': manifest({ next: '16.0.0' }, { type: 'module' }),
      'tsconfig.json': TSCONFIG,
      ...files,
    })
    const { files: written } = await init(project, '--yes')
    const config = `${files['app/page.tsx'] ?? files['pages/index.tsx'] ?? 'src/'}clerk-sync.config.ts`
    expect(written.map(({ path }) => path)).toEqual([route, drainOf(route), config, '.gitignore'])
    expect(await read(project, route)).toContain("from 'clerk-sync/next'")
    expect(await compile(project)).toBe('')
  })

  it('writes JavaScript where there is no tsconfig.json', async () => {
    const project = await createProject('next-js', {
      'package.json': manifest({ next: '16.0.0' }),
      'app/page.js': '',
    })
    const { files } = await init(project, '--yes')
    expect(files.map(({ path }) => path)).toEqual([
      'app/api/webhooks/clerk/route.js',
      'app/api/clerk-sync/drain/route.js',
      'clerk-sync.config.mjs',
      '.gitignore',
    ])
    expect(await read(project, 'app/api/webhooks/clerk/route.js')).toContain(
      "import config from '../../../../clerk-sync.config.mjs'",
    )
  })
})

/** Without its types. */
const toJavaScript = (text: string) => stripTypeScriptTypes(text.replace(/^import type .*\n/gm, ''))

/** As CommonJS. */
const toRequires = (text: string) => text.replace(/^import (.+) from ('.+')$/gm, 'const $1 = require($2)')

describe.each(Object.keys(APPS))('the route of clerk-sync init in an app of %s', (framework) => {
  const dependencies: Files = framework === 'node' ? {} : { [framework]: '*' }

  /** Adds the route to the app, and resolves to what its server is. */
  async function addRoute(project: string): Promise<string> {
    const { framework: detected, paste } = await init(project, '--yes')
    expect(detected).toBe(framework)
    const [imports = '', ...mount] = paste
    return APPS[framework]?.(imports, mount.join('\n')) as string
  }

  it('takes a signed delivery, in ES modules', async () => {
    const files = { 'package.json': manifest(dependencies, { type: 'module' }) }
    const project = await createProject(`esm-${framework}`, files)
    await writeFile(join(project, 'server.js'), toJavaScript(await addRoute(project)))
    // Pasted: nothing is left to paste.
    expect((await init(project)).paste).toEqual([])
    expect(await postTo(project, 'server.js')).toBe(200)
  })

  it('takes a signed delivery, in CommonJS', async () => {
    const project = await createProject(`cjs-${framework}`, { 'package.json': manifest(dependencies) })
    const text = toRequires(toJavaScript(await addRoute(project)))
    await writeFile(join(project, 'server.js'), text)
    expect(text).not.toMatch(/^import /m)
    expect((await init(project)).paste).toEqual([])
    expect(await postTo(project, 'server.js')).toBe(200)
  })

  it.each(['module', 'commonjs'])('takes a signed delivery, in TypeScript of type %s', async (type) => {
    const project = await createProject(`ts-${type}-${framework}`, {
      'package.json': manifest(dependencies, { type }),
      'tsconfig.json': TSCONFIG,
      'src/.keep': '',
    })
    await writeFile(join(project, 'src/server.ts'), await addRoute(project))
    expect(existsSync(join(project, 'src/clerk-webhook.ts'))).toBe(true)
    expect((await init(project)).paste).toEqual([])
    expect(await compile(project)).toBe('')
    await run(
      join(MODULES, '.bin/tsc'),
      ['-p', project, '--noEmit', 'false', '--rootDir', 'src', '--outDir', 'built'],
      {
        cwd: project,
      },
    )
    expect(await postTo(project, 'built/server.js')).toBe(200)
  })
})

/** What the compiler says. */
async function compile(project: string): Promise<string> {
  const compiled = run(join(MODULES, '.bin/tsc'), ['-p', project])
  return compiled.then(
    () => '',
    ({ stdout }) => stdout,
  )
}

/** Starts the app, sends it a signed delivery, and resolves to the status. */
async function postTo(cwd: string, file: string): Promise<number> {
  const env = { ...process.env, CLERK_WEBHOOK_SIGNING_SECRET: SECRET, DATABASE_URL: database }
  const app = spawn(process.execPath, [file], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = await once(app.stdout, 'data')
    const port = /port (\d+)/.exec(String(line))?.[1]
    const { headers, body } = sign(eventOf('user.created'))
    const url = `http://127.0.0.1:${port}${ROUTE}`
    for (;;) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      })
      // The first delivery may wait longer for the database to open than one delivery may wait.
      if (response.status !== 503) return response.status
    }
  } finally {
    app.kill()
    await once(app, 'close')
  }
}

describe('what clerk-sync init does to a project', () => {
  const app = { 'package.json': manifest({ next: '16.0.0' }), 'tsconfig.json': '{}', 'app/page.tsx': '' }
  const route = 'app/api/webhooks/clerk/route.ts'

  it('adds nothing unless it is told to', async () => {
    const project = await createProject('nothing', app)
    const dry = await init(project, '--dry-run')
    expect(dry.files[0]).toEqual({
      path: route,
      action: 'create',
      written: false,
      diff: expect.arrayContaining([
        '+ export const POST = createNextHandler(() => sharedClerkSync(config), { after })',
      ]),
    })
    expect(await runCli(['init'], { cwd: project })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    })
    expect(existsSync(join(project, 'app/api'))).toBe(false)
    expect(existsSync(join(project, '.gitignore'))).toBe(false)
  })

  it('shows every line first, and the step that is left in Clerk’s dashboard', async () => {
    const project = await createProject('shown', { ...app, '.gitignore': 'node_modules' })
    const { code, stderr } = await runCli(['init', '--yes'], { cwd: project })
    expect(code).toBe(0)
    expect(stderr).toContain(
      '+ export const POST = createNextHandler(() => sharedClerkSync(config), { after })',
    )
    expect(stderr).toContain('"crons": [{ "path": "/api/clerk-sync/drain", "schedule": "* * * * *" }]')
    expect(stderr).toContain('+ .clerk-sync/')
    expect(stderr).toContain('https://dashboard.clerk.com/last-active?path=webhooks')
    expect(stderr).toContain(`https://YOUR-APP${ROUTE}`)
    expect(stderr).toContain('organizationMembership.deleted')
    expect(await read(project, '.gitignore')).toBe('node_modules\n.clerk-sync/\n')
  })

  it('makes a signing secret for this machine if asked to, once, and shows it nowhere', async () => {
    const project = await createProject('secret', { ...app, '.env': 'PORT=1' })
    const { code, stderr } = await runCli(['init', '--yes', '--local-secret'], { cwd: project })
    expect([code, stderr]).toEqual([0, expect.stringContaining('.env.local has a new one for this machine')])
    const written = await read(project, '.env.local')
    expect(written).toMatch(/^# .+\nCLERK_WEBHOOK_SIGNING_SECRET=whsec_[\w+/=]+\n$/)
    expect(stderr).not.toContain('whsec_')
    expect((await stat(join(project, '.env.local'))).mode & 0o077).toBe(0)

    const { localSecret } = await init(project, '--local-secret')
    expect(localSecret).toMatchObject({ path: '.env.local', isNew: false })
    expect(await read(project, '.env.local')).toBe(written)
    expect(await read(project, '.env')).toBe('PORT=1')
  })

  it('changes nothing the second time, and says so', async () => {
    const project = await createProject('twice', app)
    await init(project, '--yes')
    const again = await init(project)
    expect(again.files.map(({ action, written }) => [action, written])).toEqual([
      ['keep', false],
      ['keep', false],
      ['keep', false],
      ['keep', false],
    ])
    const { code, stderr } = await runCli(['init'], { cwd: project })
    expect([code, stderr]).toEqual([0, expect.stringContaining('Nothing to add')])
  })

  it('replaces a route that somebody wrote only with --overwrite', async () => {
    const own = 'export const POST = () => new Response()\n'
    const project = await createProject('own', { ...app, [route]: own })
    expect(await runCli(['init', '--yes'], { cwd: project })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--overwrite'),
    })
    expect(await read(project, route)).toBe(own)
    expect(existsSync(join(project, 'clerk-sync.config.ts'))).toBe(true)
    await init(project, '--yes', '--overwrite')
    expect(await read(project, route)).toContain('createNextHandler(')
  })

  it('leaves a route of clerk-sync as it is, wherever it stands', async () => {
    const elsewhere = 'app/hooks/route.ts'
    const project = await createProject('elsewhere', {
      ...app,
      [elsewhere]: "export { POST } from 'clerk-sync/next'",
    })
    const { files } = await init(project, '--yes')
    expect(files[0]).toMatchObject({ path: elsewhere, action: 'keep' })
    expect(existsSync(join(project, route))).toBe(false)
  })

  it.each([
    ['pages/api/webhooks/clerk.ts', 'createNextPagesHandler'],
    ['src/pages/api/webhooks/clerk/index.js', 'createNextPagesHandler'],
    ['app/(api)/api/webhooks/clerk/route.js', "from '../../../../../clerk-sync.config'"],
  ])(
    'adds no second route to that of %s, which it replaces in the form of its router',
    async (path, text) => {
      const own = 'export default () => {}\n'
      const project = await createProject(`second-${path.replaceAll('/', '-')}`, { ...app, [path]: own })
      const { files } = await init(project, '--dry-run')
      expect(files[0]).toMatchObject({ path, action: 'replace' })
      expect(files.map((file) => file.path)).not.toContain(route)
      await init(project, '--yes', '--overwrite')
      expect(await read(project, path)).toContain(text)
    },
  )

  it('leaves a route that is required', async () => {
    const server = "const { createExpressHandler } = require('clerk-sync/express')\n"
    const project = await createProject('required', {
      'package.json': manifest({ express: '5.0.0' }),
      'server.js': server,
    })
    const { files, paste } = await init(project, '--dry-run')
    expect([files[0], paste]).toEqual([expect.objectContaining({ path: 'server.js', action: 'keep' }), []])
  })

  it.each([
    ['pnpm-lock.yaml', 'pnpm add clerk-sync'],
    ['yarn.lock', 'yarn add clerk-sync'],
    ['package-lock.json', 'npm install clerk-sync'],
  ])('tells how to install in a workspace with %s', async (lock, command) => {
    const project = await createProject(`workspace-${lock}`, {
      [lock]: '',
      'apps/web/package.json': manifest({ next: '16.0.0' }),
    })
    expect((await init(join(project, 'apps/web'), '--dry-run')).install).toBe(command)
  })

  it('tells where there is no app', async () => {
    const project = await createProject('no-app', { 'README.md': '' })
    const { code, stderr } = await runCli(['init'], { cwd: project })
    expect([code, stderr]).toEqual([2, expect.stringContaining('no package.json')])
  })
})

describeOnTerminal('the questions of clerk-sync init', () => {
  const app = {
    'package.json': manifest({ next: '16.0.0', express: '5.0.0' }),
    'tsconfig.json': '{}',
    'app/page.tsx': '',
  }
  const route = 'app/api/webhooks/clerk/route.ts'
  let terminal: Terminal
  afterEach(async () => {
    terminal.kill('SIGKILL')
    await terminal.ended
  })

  async function ask(name: string, files: Files): Promise<string> {
    const project = await createProject(name, files)
    terminal = new Terminal(['init'], { cwd: project })
    await terminal.until(/Which framework receives the webhooks\?[\s\S]*Express/)
    return project
  }

  it('are which framework, and whether to add what was shown', async () => {
    const project = await ask('asked', app)
    terminal.press('\x1b[B\r')
    await terminal.until(/Add clerk-webhook\.ts, clerk-sync\.config\.ts, \.gitignore\. Go ahead\?/)
    terminal.press('y')
    expect(await terminal.ended).toMatchObject({ code: 0, state: 'usual' })
    expect(terminal.scrollback.join('\n')).toMatch(/Paste +into the file that makes the server/)
    expect(await read(project, 'clerk-webhook.ts')).toContain('createExpressHandler')
  })

  it('may be answered with no: nothing is written, and all is well', async () => {
    const project = await ask('no', app)
    terminal.press('\r')
    await terminal.until(/Go ahead\?/)
    terminal.press('n')
    expect(await terminal.ended).toMatchObject({ code: 0, state: 'usual' })
    expect(terminal.screen.at(-1)).toContain('Nothing was written.')
    expect(existsSync(join(project, 'app/api'))).toBe(false)
    expect(existsSync(join(project, 'clerk-sync.config.ts'))).toBe(false)
  })

  it('may be answered with Ctrl-C', async () => {
    const project = await ask('interrupted', app)
    terminal.press('\x03')
    expect(await terminal.ended).toMatchObject({ code: null, signal: 'SIGINT', state: 'usual' })
    expect(existsSync(join(project, 'clerk-sync.config.ts'))).toBe(false)
  })

  it('come a second time before a route that somebody wrote is replaced', async () => {
    const own = 'export const POST = () => new Response()\n'
    const project = await ask('replace', { ...app, [route]: own })
    terminal.press('\r')
    await terminal.until(
      /Add app.api.clerk-sync.drain.route\.ts, clerk-sync\.config\.ts, \.gitignore\. Go ahead\?/,
    )
    terminal.press('y')
    await terminal.until(/Replace app.api.webhooks.clerk.route\.ts\. Go ahead\?/)
    terminal.press('n')
    expect(await terminal.ended).toMatchObject({ code: 0 })
    expect(await read(project, route)).toBe(own)
    expect(existsSync(join(project, 'clerk-sync.config.ts'))).toBe(true)
  })
})

describe('the warning about middleware', () => {
  const IMPORT = "import { clerkMiddleware, createRouteMatcher } from '@clerk/nextjs/server'\n"
  const listed = (list: string, condition: string) =>
    `${IMPORT}const isListed = createRouteMatcher([${list}])
export default clerkMiddleware(async (auth, request) => { if (${condition}) await auth.protect() })`

  it.each([
    ['bare', `${IMPORT}export default clerkMiddleware()`, null],
    [
      'all protected',
      `${IMPORT}export default clerkMiddleware(async (auth) => {\n  await auth.protect()\n})`,
      'proxy.ts:3',
    ],
    ['all but sign-in', listed("'/sign-in(.*)'", '!isListed(request)'), 'proxy.ts:3'],
    ['all but webhooks', listed("'/api/webhooks/(.*)'", '!isListed(request)'), null],
    ['the API', listed("'/api/(.*)'", 'isListed(request)'), 'proxy.ts:3'],
    ['a part without webhooks', listed("'/dashboard(.*)'", 'isListed(request)'), null],
  ])('tells the line: %s', async (name, proxy, place) => {
    const project = await createProject(`proxy-${name.replaceAll(' ', '-')}`, {
      'package.json': manifest({ next: '16.0.0' }),
      'proxy.ts': proxy,
    })
    const { warning } = await init(project, '--dry-run')
    expect(warning).toEqual(place === null ? null : expect.stringContaining(`${place} keeps webhooks out`))
  })

  const withBody = (list: string, body: string) => `${IMPORT}const isListed = createRouteMatcher(${list})
export default clerkMiddleware(async (auth, request) => { ${body} })`
  it.each([
    [
      'recommends checks at the resource',
      'public',
      "['/sign-in(.*)']",
      'keeps webhooks out. Use a bare clerkMiddleware()',
    ],
    [
      'says nothing definite',
      'unclear',
      'publicRoutes',
      'may keep webhooks out. Ask the running app: clerk-sync doctor --url',
    ],
  ])('%s', async (_, name, list, says) => {
    const project = await createProject(`middleware-${name}`, {
      'package.json': manifest({ next: '16.0.0' }),
      'proxy.ts': withBody(list, 'if (!isListed(request)) await auth.protect()'),
    })
    expect((await init(project, '--dry-run')).warning).toEqual(expect.stringContaining(says))
  })

  it('is about the path of the route that the project has', async () => {
    const project = await createProject('middleware-of-route', {
      'package.json': manifest({ next: '16.0.0' }),
      'app/hooks/route.ts': "export { POST } from 'clerk-sync/next'",
      'proxy.ts': withBody("['/hooks']", 'if (!isListed(request)) await auth.protect()'),
    })
    expect((await init(project, '--dry-run')).warning).toBeNull()
  })
})
