/**
 * The container image without a container engine: runs the Dockerfile's steps in clean folders, one for each stage, and
 * then starts what it would start, as the same user. What only an engine does is not tested: layers, base images, networks.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { IMAGE_PEERS } from './image-dependencies.ts'

interface Stage {
  readonly name: string
  /** Stands for `/`. */
  readonly root: string
  workdir: string
  user: string
  readonly env: Record<string, string>
  entrypoint: readonly string[]
  command: readonly string[]
  health: readonly string[]
}

const START_TIMEOUT_MS = 60_000
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const project = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-image-'))
await chmod(folder, 0o755)
const stages = new Map<string, Stage>()

try {
  const image = await build()
  await checkContents(image)
  await checkServer(image)
  await cp(join(project, 'deploy/clerk-sync.config.ts'), join(image.root, '/app/clerk-sync.config.ts'))
  await checkServer(image, /Config/)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function build(): Promise<Stage> {
  let stage: Stage | undefined
  for (const [instruction, rest] of instructionsOf(await readFile(join(project, 'Dockerfile'), 'utf8'))) {
    if (instruction === 'FROM') stage = await begin(rest)
    else await perform(instruction, rest, stage as Stage)
  }
  return stage as Stage
}

function instructionsOf(text: string): [string, string][] {
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [instruction = ''] = line.split(' ', 1)
      return [instruction, line.slice(instruction.length).trim()]
    })
}

async function begin(rest: string): Promise<Stage> {
  const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'image'
  const root = join(folder, name)
  await mkdir(root)
  const stage: Stage = {
    name,
    root,
    workdir: '/',
    user: '0:0',
    env: {},
    entrypoint: [],
    command: [],
    health: [],
  }
  stages.set(name, stage)
  return stage
}

async function perform(instruction: string, rest: string, stage: Stage): Promise<void> {
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest
      await mkdir(join(stage.root, rest), { recursive: true })
      break
    case 'COPY':
      await copy(rest.split(' '), stage)
      break
    case 'RUN':
      console.log(`  ${stage.name}: ${rest}`)
      await run('sh', ['-ec', rest], {
        cwd: join(stage.root, stage.workdir),
        env: environmentOf(stage),
        maxBuffer: 2 ** 26,
      })
      break
    case 'ENV':
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value
      break
    case 'USER':
      stage.user = rest
      break
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest)
      break
    case 'CMD':
      stage.command = JSON.parse(rest)
      break
    case 'HEALTHCHECK':
      stage.health = JSON.parse(rest.slice(rest.indexOf('[')))
      break
    case 'EXPOSE':
      break
    default:
      throw new Error(`Dockerfile: ${instruction} is unknown to scripts/image.ts`)
  }
}

async function copy(words: readonly string[], stage: Stage): Promise<void> {
  const from = /^--from=(\w+)$/.exec(words[0] as string)?.[1]
  const paths = from === undefined ? words : words.slice(1)
  const target = paths.at(-1) as string
  for (const source of paths.slice(0, -1)) {
    const to = join(
      stage.root,
      stage.workdir,
      target === './' ? join('.', source.split('/').at(-1) as string) : target,
    )
    if (from === undefined) await copyFromContext(source, to)
    else
      await cp(join((stages.get(from) as Stage).root, source), to, {
        recursive: true,
        verbatimSymlinks: true,
      })
  }
}

/** What is committed or about to be, as far as .dockerignore lets it through. */
async function copyFromContext(source: string, to: string): Promise<void> {
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard', '--', source], {
    cwd: project,
  })
  const allowed = await readAllowed()
  const files = stdout
    .split('\n')
    .filter((file) => file !== '' && allowed.some((each) => file === each || file.startsWith(`${each}/`)))
  if (files.length === 0) throw new Error(`Dockerfile: COPY ${source}: .dockerignore leaves nothing of it`)
  for (const file of files) {
    const place = to + file.slice(source.length)
    await mkdir(dirname(place), { recursive: true })
    await cp(join(project, file), place)
  }
}

async function readAllowed(): Promise<string[]> {
  const text = await readFile(join(project, '.dockerignore'), 'utf8')
  return text.split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
}

/** Of this machine only what says how the network is reached. */
function environmentOf(stage: Stage): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  const network = Object.entries(process.env).filter(([name]) =>
    /^npm_config_|proxy$|certs?$|_CA_/i.test(name),
  )
  return { PATH, HOME, ...Object.fromEntries(network), ...stage.env }
}

async function checkContents(image: Stage): Promise<void> {
  const modules = join(image.root, '/app/node_modules')
  const names = await readdir(modules)
  for (const name of ['typescript', 'vitest', 'next', 'playwright-core']) {
    if (names.includes(name)) throw new Error(`the image has ${name}, which only development needs`)
  }
  for (const name of IMAGE_PEERS) await readFile(join(modules, name, 'package.json'))
  const { stdout } = await run('du', ['-sm', join(image.root, '/app')])
  console.log(`✓ image contents: ${stdout.split('\t')[0]} MB beside the base image`)
}

/** Starts the entry point, takes a delivery, asks the health check, and stops it as an engine would. */
async function checkServer(image: Stage, expected = /ready/): Promise<void> {
  const port = await freePort()
  const env = {
    ...environmentOf(image),
    PORT: String(port),
    CLERK_WEBHOOK_SIGNING_SECRET: SECRET,
    CLERK_SYNC_SHUTDOWN_DELAY: '0s',
  }
  const server = start(image, [...image.entrypoint, ...image.command], env)
  let output = ''
  for (const stream of [server.stdout, server.stderr])
    stream?.on('data', (chunk) => {
      output += chunk
    })
  const ended = once(server, 'exit')
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!/^ready/m.test(output)) {
    if (server.exitCode !== null || Date.now() > deadline)
      throw new Error(`the image does not start:\n${output}`)
    await sleep(50)
  }
  if (!expected.test(output)) throw new Error(`the image does not say ${expected}:\n${output}`)
  await succeed(image, image.health, env)
  const to = `http://127.0.0.1:${port}/webhooks/clerk`
  await succeed(image, [...image.entrypoint, 'trigger', 'user.created', '--to', to], env)
  server.kill('SIGTERM')
  const [code] = await ended
  if (code !== 0) throw new Error(`the image ends with ${code} after SIGTERM:\n${output}`)
  if (!output.includes('1 applied')) throw new Error(`the image did not apply the delivery:\n${output}`)
  console.log('✓ image starts, is healthy, applies a delivery, and ends with 0 after SIGTERM')
}

async function succeed(image: Stage, words: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = start(image, words, env)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${words.slice(0, 3).join(' ')} ends with ${code}`)
}

function start(image: Stage, words: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const inside = words.map((word) => (word.startsWith('/app/') ? join(image.root, word) : word))
  const [uid, gid] = image.user.split(':')
  if (uid === '0') throw new Error('Dockerfile: the image runs as root')
  const asUser = isRoot ? ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : []
  const [program = '', ...rest] = [...asUser, ...inside]
  return spawn(program, rest, { cwd: join(image.root, image.workdir), env: { ...env, HOME: '/nonexistent' } })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
