/**
 * The examples as a team would have them: the packed package, installed into a copy of the folder.
 *
 *   node scripts/examples.ts            checks all: signed deliveries must end in what the app shows
 *   node scripts/examples.ts express    starts one and leaves it running
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Packed, pack } from './pack.ts'

/** Where each app shows what became of the deliveries. */
const PAGES: Readonly<Record<string, string>> = { express: '/users', next: '/', standalone: '/profiles' }
/** What the dashboard answers to a stranger on this machine, where one is mounted. */
const STRANGERS: Readonly<Record<string, number>> = { express: 200, next: 401 }
const WEBHOOK = '/api/webhooks/clerk'
const START_TIMEOUT_MS = 60_000

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-examples-'))
const interrupted = once(process, 'SIGINT')
const [chosen] = process.argv.slice(2)
try {
  const packed = await pack(folder)
  if (chosen === undefined) for (const name of Object.keys(PAGES)) await check(name, packed)
  else await show(chosen, packed)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function check(name: string, packed: Packed): Promise<void> {
  const startedAt = performance.now()
  const app = await install(name, packed)
  const port = await freePort()
  const server = await start(app, port)
  try {
    await run('npx', ['--no-install', 'clerk-sync', 'trigger', 'user.created', '--to', urlOf(port)], {
      cwd: app,
    })
    await until(async () => (await read(port, PAGES[name])).includes('Ada'), `${name} does not show the user`)
    await checkDashboard(name, port)
  } finally {
    await stop(server)
  }
  const { stdout } = await run('npx', ['--no-install', 'clerk-sync', 'events', 'list', '--json'], {
    cwd: app,
  })
  if (!/"outcome":"applied"/.test(stdout)) throw new Error(`${name} has no applied event:\n${stdout}`)
  console.log(`✓ ${name} in ${Math.round((performance.now() - startedAt) / 1000)} s`)
}

async function checkDashboard(name: string, port: number): Promise<void> {
  const expected = STRANGERS[name]
  if (expected === undefined) return
  const { status } = await fetch(`http://localhost:${port}/dashboard/api/session`)
  const page = await read(port, '/dashboard')
  if (status !== expected || !page.includes('<base href="/dashboard/"')) {
    throw new Error(`the dashboard of ${name} answers ${status}:\n${page.slice(0, 500)}`)
  }
}

async function show(name: string, packed: Packed): Promise<void> {
  const app = await install(name, packed)
  const server = await start(app, 3000)
  console.log(`
  Ready        http://localhost:3000${PAGES[name]}
  Send a user  cd ${app} && npx clerk-sync trigger user.created --to ${urlOf(3000)}`)
  await Promise.race([interrupted, once(server, 'exit')])
  await stop(server)
}

/** A copy of an example, with the packed package. */
async function install(name: string, { tarball }: Packed): Promise<string> {
  const source = join(root, 'examples', name)
  const app = join(folder, name)
  await cp(source, app, {
    recursive: true,
    filter: (path) => !/node_modules|\.next|\.clerk-sync/.test(path.slice(source.length)),
  })
  await cp(join(app, '.env.example'), join(app, '.env'))
  await run('npm', ['install', tarball], { cwd: app })
  await run('npm', ['run', 'build', '--if-present'], { cwd: app, env: environment() })
  return app
}

async function start(app: string, port: number): Promise<ChildProcess> {
  const options = {
    cwd: app,
    env: environment({ PORT: String(port) }),
    stdio: 'inherit',
    detached: true,
  } as const
  const server = spawn('npm', ['start', '--silent'], options)
  await until(
    () => isReachable(port),
    `${app} does not start`,
    () => server.exitCode === null,
  )
  return server
}

/** With the processes that npm started, which may outlive it: until they are gone, the embedded database is theirs. */
async function stop(server: ChildProcess): Promise<void> {
  const group = -(server.pid as number)
  if (!isRunning(group)) return
  process.kill(group, 'SIGTERM')
  await until(async () => !isRunning(group), 'the app does not stop')
}

function isRunning(group: number): boolean {
  try {
    return process.kill(group, 0)
  } catch {
    return false
  }
}

/** What is set here must not reach the examples: they have their own, and an embedded database. */
function environment(more: object = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL, CLERK_WEBHOOK_SIGNING_SECRET, NODE_ENV, ...rest } = process.env
  return { ...rest, CLERK_TELEMETRY_DISABLED: '1', NEXT_TELEMETRY_DISABLED: '1', ...more }
}

function urlOf(port: number): string {
  return `http://localhost:${port}${WEBHOOK}`
}

async function read(port: number, page = '/'): Promise<string> {
  const response = await fetch(`http://localhost:${port}${page}`)
  return response.text()
}

async function isReachable(port: number): Promise<boolean> {
  return fetch(`http://localhost:${port}/`).then(
    () => true,
    () => false,
  )
}

async function until(
  isTrue: () => Promise<boolean>,
  failure: string,
  isWorthWaiting = () => true,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isTrue())) {
    if (Date.now() > deadline || !isWorthWaiting()) throw new Error(failure)
    await sleep(100)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
