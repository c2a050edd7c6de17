/** Builds and starts an app of a framework with the recipe of its documentation, and runs the adapters' suite against it. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClerkSync, WebhookRequest } from '../../src/index.ts'
import { describeAdapter, type Serve } from '../adapters/contract.ts'
import { readBlocks } from '../docs/code-blocks.ts'
import { describeWithPostgres, postgresDatabase, SECRET } from '../support/databases.ts'
import { eventOf, sign } from '../support/deliveries.ts'
import { freePort } from '../support/redis-server.ts'

const run = promisify(execFile)
const folderOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const RELAY = fileURLToPath(new URL('relay.mjs', import.meta.url))
const PATH = '/api/webhooks/clerk'

export interface Framework {
  readonly title: string
  /** Below this one. */
  readonly folder: string
  /** The recipe's file, as the first line of its block in docs/frameworks.md names it. */
  readonly recipe: string
  readonly build?: readonly string[]
  /** @param preload a module to load before the app, unless Node does */
  readonly start: (port: string, preload: readonly string[]) => readonly string[]
  readonly env?: Record<string, string>
  /** Of a route that reads the request before it hands it over. */
  readonly readPath?: string
  /** Whether the framework leaves the bytes of a request that was read, so that `/read` answers too. */
  readonly keepsBodies?: boolean
  readonly takesPipelines?: boolean
  readonly refusesCharsets?: boolean
  readonly readsBodies?: boolean
  /** Whether the process runs handlers; where it freezes after the answer, a second function does. */
  readonly staysAlive?: boolean
  /** Whether the framework answers the methods that the route does not name. */
  readonly answersMethods?: boolean
}

const ADVICE = /pass it untouched, and read request\.clone\(\) yourself/

export function describeFramework(framework: Framework): void {
  beforeAll(() => build(framework), 300_000)

  describe(framework.title, () => describeRelayed(framework))
  describeWithPostgres(`${framework.title}, as it is deployed`, (url) => describeDeployed(framework, url))
}

function describeRelayed(framework: Framework): void {
  let sync: ClerkSync | undefined
  let app: App
  const relay = createServer((request, response) => void answer(sync, request, response))
  beforeAll(async () => {
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    const { port } = relay.address() as AddressInfo
    app = await start(framework, {
      RELAY_URL: `http://127.0.0.1:${port}`,
      RELAY_PACKAGE: join(folderOf(framework.folder), 'node_modules/clerk-sync/dist/index.js'),
    })
  })
  afterAll(async () => {
    await app.stop()
    relay.closeAllConnections()
    relay.close()
  })
  const serve =
    (path: string): Serve =>
    async (chosen) => {
      sync = chosen
      return { port: app.port, path, stop: async () => undefined }
    }
  const { title, keepsBodies = false, readPath = '/read', staysAlive: _, ...rest } = framework
  describeAdapter(title, {
    ...rest,
    timesBodies: false,
    serve: serve(PATH),
    lost: keepsBodies ? {} : { 'the request was read': [serve(readPath), ADVICE] },
    kept: keepsBodies ? { 'the request was read': serve(readPath) } : {},
  })
}

/** The tests' side of the relay. */
async function answer(
  sync: ClerkSync | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // An app whose every path is the route is asked for before a test has begun.
  if (!sync) return void response.end(JSON.stringify({ status: 503, headers: {}, body: '' }))
  const envelope = JSON.parse(decodeURIComponent(String(request.headers['x-envelope'])))
  const { isGone, ...rest }: { isGone: boolean } & WebhookRequest = envelope
  // A body that is refused in the middle must not end the connection that its answer takes.
  const body = request.iterator({ destroyOnReturn: false })
  const reply = await sync.handle({ ...rest, body: isGone ? null : body })
  // Not every client of the relay takes an answer before it has sent the whole request.
  request.resume()
  if (!request.readableEnded && !request.destroyed) await Promise.race([once(request, 'end'), sleep(1_000)])
  response.writeHead(200, { connection: 'close' }).end(JSON.stringify(reply))
}

/** Without the relay: a delivery through the app is in the tables. */
function describeDeployed(framework: Framework, url: string): void {
  const database = postgresDatabase(url)

  it('applies a delivery, refuses a forged one, and runs the handler of the configuration', async () => {
    const sync = await database.open()
    const { schema } = await database.location()
    const app = await start(framework, {
      DATABASE_URL: url,
      CLERK_SYNC_SCHEMA: schema,
      CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
    })
    const post = (headers: Record<string, string>, body: string) =>
      fetch(`http://127.0.0.1:${app.port}${PATH}`, { method: 'POST', headers, body }).then(
        ({ status }) => status,
      )
    const { headers, body } = sign(eventOf('user.created', { id: 'user_1', first_name: 'Ada' }))
    const type = { 'content-type': 'application/json' }
    const statuses = [
      await post({ ...type, ...headers }, body),
      await post({ ...type, ...headers }, body.replace('Ada', 'Eve')),
    ]
    expect(statuses).toEqual([200, 400])
    const runs = () => sync.database.selectFrom('handler_runs').select(['handler', 'status']).execute()
    const status = framework.staysAlive === false ? 'pending' : 'succeeded'
    await expect.poll(runs, { timeout: 20_000 }).toEqual([{ handler: 'welcome', status }])
    await app.stop()
    expect(await sync.database.selectFrom('users').select('first_name').execute()).toEqual([
      { first_name: 'Ada' },
    ])
  })
}

/** The configuration of the app, whose handler must run. */
const CONFIG = `import { defineConfig, on } from 'clerk-sync'

export default defineConfig({
  handlers: [on('user.created', ({ event }) => console.log('welcome ' + event.data.id), { name: 'welcome' })],
})
`

/** Writes the recipe into the app, and builds it with nothing in the environment that clerk-sync would read. */
async function build({ folder, recipe, build: command }: Framework): Promise<void> {
  const block = readBlocks().find(
    ({ page, code }) => page === 'docs/frameworks.md' && code.startsWith(`// ${recipe}\n`),
  )
  if (!block) throw new Error(`docs/frameworks.md has no recipe for ${recipe}`)
  const file = join(folderOf(folder), recipe)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, block.code)
  const [, config] = /['"](\..*clerk-sync\.config)(?:\.\w+)?['"]/.exec(block.code) ?? []
  if (config)
    await writeFile(`${join(dirname(file), config)}${recipe.endsWith('.js') ? '.js' : '.ts'}`, CONFIG)
  if (command) await runIn(folder, command)
}

async function runIn(folder: string, [program = '', ...words]: readonly string[]): Promise<void> {
  const cwd = folderOf(folder)
  const failed = (error: { stdout: string; stderr: string }) => {
    throw new Error(`${program} ${words.join(' ')} in ${folder}:\n${error.stdout}\n${error.stderr}`)
  }
  await run(join(cwd, 'node_modules/.bin', program), words, { cwd, env: environment() }).catch(failed)
}

interface App {
  readonly port: number
  stop(): Promise<void>
}

async function start(framework: Framework, env: Record<string, string>): Promise<App> {
  const isRelayed = env.RELAY_URL !== undefined
  const port = await freePort()
  const cwd = folderOf(framework.folder)
  const [program = '', ...words] = framework.start(String(port), isRelayed ? ['--preload', RELAY] : [])
  const child = spawn(
    program === 'node' ? process.execPath : join(cwd, 'node_modules/.bin', program),
    words,
    {
      cwd,
      env: {
        ...environment(),
        ...(isRelayed && { NODE_OPTIONS: `--import=${pathToFileURL(RELAY)}` }),
        ...{ PORT: String(port), HOST: '127.0.0.1' },
        ...framework.env,
        ...env,
      },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)))
  await untilAnswering(port, child, output)
  return { port, stop: () => stop(child) }
}

async function untilAnswering(port: number, child: ChildProcess, output: readonly string[]): Promise<void> {
  const deadline = Date.now() + 60_000
  while (
    !(await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the app does not start:\n${output.join('')}`)
    await sleep(100)
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  process.kill(-(child.pid as number), 'SIGKILL')
  await ended
}

function environment(): Record<string, string> {
  const { PATH: path = '', HOME = '' } = process.env
  return {
    PATH: `${dirname(process.execPath)}:${path}`,
    HOME,
    NODE_ENV: 'production',
    NUXT_TELEMETRY_DISABLED: '1',
    ASTRO_TELEMETRY_DISABLED: '1',
    DENO_NO_UPDATE_CHECK: '1',
  }
}
