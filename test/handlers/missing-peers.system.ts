/** A package that is not installed is said at the start, with the command that installs it. */

import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BuiltPackage, buildPackage, copyPackage } from '../support/built.ts'
import { runCli, temporaryFolder } from '../support/cli.ts'
import { SECRET } from '../support/databases.ts'

const run = promisify(execFile)
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
const folder = temporaryFolder()
let built: BuiltPackage
beforeAll(async () => {
  built = await buildPackage()
}, 120_000)
afterAll(() => built[Symbol.asyncDispose]())

/** A project that lacks some packages. */
async function projectWithout(...missing: readonly string[]): Promise<string> {
  const project = join(await folder(), `without-${missing.join('-').replaceAll('/', '-')}`)
  const modules = join(project, 'node_modules')
  await mkdir(join(modules, '@clerk'), { recursive: true })
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
  for (const name of await readdir(MODULES)) {
    if (name.startsWith('.') || name === '@clerk' || missing.includes(name)) continue
    if (name === 'bullmq') {
      await cp(join(MODULES, name), join(modules, name), { recursive: true })
      continue
    }
    await symlink(join(MODULES, name), join(modules, name))
  }
  await copyPackage(built.folder, join(modules, 'clerk-sync'))
  return project
}

/** Runs a module in the project. */
async function evaluate(project: string, text: string) {
  const usage = `\nprocess.on('exit', () => console.log('cpu ' + process.cpuUsage().user / 1e6))`
  await writeFile(join(project, 'app.mjs'), text + usage)
  return run(process.execPath, ['app.mjs'], { cwd: project, timeout: 90_000 }).catch((error) => error)
}

it.each([[['ioredis']], [['bullmq', 'ioredis']]])(
  'work() fails at once without %s, and no core spins',
  { timeout: 120_000 },
  async (missing) => {
    const project = await projectWithout(...missing)
    const { stdout, stderr } = await evaluate(
      project,
      `import { createClerkSync, on } from 'clerk-sync'
import { bullmq } from 'clerk-sync/bullmq'
const sync = createClerkSync({
  signingSecret: '${SECRET}', database: 'memory://', engine: bullmq({ connection: 'redis://127.0.0.1:1' }),
  handlers: [on('*', () => undefined, { name: 'a' })],
})
await sync.work().catch(({ code, remedy }) => console.log(code, remedy))
await sync.close()`,
    )
    expect([stderr, stdout]).toEqual([
      '',
      expect.stringMatching(/^peer_missing Run `npm install bullmq ioredis`\./),
    ])
    expect(Number(/cpu (\S+)/.exec(stdout)?.[1])).toBeLessThan(10)
  },
)

it('clerkSignIn() says at the start that @clerk/backend is missing', { timeout: 120_000 }, async () => {
  const project = await projectWithout('@clerk/backend')
  const { stdout, stderr } = await evaluate(
    project,
    `import { clerkSignIn } from 'clerk-sync/dashboard'
const authorize = clerkSignIn()
await new Promise((resolve) => setTimeout(resolve, 200))
const request = new Request('http://localhost', { headers: { authorization: 'Bearer x.y.z' } })
await authorize(request).catch(({ code }) => console.log(code))`,
  )
  expect(stdout).toMatch(/^peer_missing/m)
  expect(stderr + stdout).toContain('npm install @clerk/backend')
})

it('createMetrics() says at the start that @prometheus-io/client is missing', {
  timeout: 120_000,
}, async () => {
  const project = await projectWithout('@prometheus-io')
  const { stdout } = await evaluate(
    project,
    `import { createClerkSync } from 'clerk-sync'
import { createMetrics } from 'clerk-sync/metrics'
const sync = createClerkSync({ signingSecret: '${SECRET}', database: 'memory://' })
await createMetrics(sync).catch(({ code, remedy }) => console.log(code, remedy))`,
  )
  expect(stdout).toMatch(/^peer_missing Run `npm install @prometheus-io\/client`\./)
})

it.each(['inngest', '@trigger.dev/sdk', '@opentelemetry/not-there'])(
  'a configuration that imports %s, which is missing, says how to install it',
  async (name) => {
    const cwd = join(await folder(), name.replace('/', '-'))
    await mkdir(cwd)
    await writeFile(join(cwd, 'clerk-sync.config.mjs'), `import '${name}'\nexport default {}\n`)
    const { code, stderr } = await runCli(['config'], { cwd })
    // Lines are wrapped between words.
    expect(stderr.replace(/\s+/g, ' ')).toContain(`npm install ${name}`)
    expect(stderr).toContain('config_unloadable')
    expect(code).not.toBe(0)
  },
)
