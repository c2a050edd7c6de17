/**
 * The servers that tests talk to. Each is taken from its environment variable, else from its usual address, else started
 * from an installed binary, else installed by apt where that is possible (root, in CI). In CI a missing server fails the
 * run; elsewhere the tests that need it say that they were skipped.
 */

import { execFile, spawn } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { createClerkSync } from '../../src/index.ts'
import { findChromium } from './chromium.ts'
import { freePort, RedisServer, redisAnswers } from './redis.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string | null
    redisUrl: string | null
    /** A folder with an embedded database that has been created and migrated: copying it is ten times faster. */
    embeddedTemplate: string
    /** The path of a Chromium. */
    chromium: string | null
  }
}

const run = promisify(execFile)
const isCi = Boolean(process.env.CI)

export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-test-'))
  await run(process.execPath, ['scripts/dashboard-assets.ts'])
  const postgres = await findPostgres(folder)
  if (postgres === null && isCi) throw new Error('CI needs a Postgres: set TEST_DATABASE_URL or install one.')
  const redis = await findRedis()
  if (redis === null && isCi) throw new Error('CI needs a Redis: set TEST_REDIS_URL or install one.')
  project.provide('postgresUrl', postgres?.url ?? null)
  const chromium = await findChromium(() => installByApt('chromium'))
  if (chromium === null && isCi) throw new Error('CI needs a Chromium: set TEST_CHROMIUM or install one.')
  project.provide('chromium', chromium)
  project.provide('redisUrl', redis?.url ?? null)
  project.provide('embeddedTemplate', await createTemplate(join(folder, 'template')))
  return async () => {
    await postgres?.stop()
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Service {
  readonly url: string
  stop(): Promise<void>
}

const POSTGRES_ADDRESSES = [
  'postgres://postgres@127.0.0.1:5432/test',
  'postgres://postgres@127.0.0.1:5432/postgres',
  'postgres://postgres:postgres@127.0.0.1:5432/postgres',
]

async function findPostgres(folder: string): Promise<Service | null> {
  const { TEST_DATABASE_URL: configured } = process.env
  if (configured) return { url: configured, stop: async () => undefined }
  for (const url of POSTGRES_ADDRESSES) {
    if (await answers(url)) return { url, stop: async () => undefined }
  }
  return (await startPostgres(folder)) ?? ((await installByApt('postgresql')) ? startPostgres(folder) : null)
}

const REDIS_ADDRESS = 'redis://127.0.0.1:6379'

async function findRedis(): Promise<Service | null> {
  const { TEST_REDIS_URL: configured } = process.env
  const url = configured ?? REDIS_ADDRESS
  if (configured || (await redisAnswers(url))) return { url, stop: async () => undefined }
  return (await RedisServer.start()) ?? ((await installByApt('redis-server')) ? RedisServer.start() : null)
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function startPostgres(folder: string): Promise<Service | null> {
  const binaries = await findPostgresBinaries()
  if (binaries === null) return null
  const data = join(folder, 'postgres')
  const port = await freePort()
  // Postgres refuses to run as root; the package made a user for it.
  const asUser = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--'] : []
  const command = (...words: string[]) => [...asUser, ...words] as [string, ...string[]]
  if (asUser.length > 0) await run('chmod', ['777', folder])
  const [initdb, ...initdbArguments] = command(
    join(binaries, 'initdb'),
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
  )
  await run(initdb, initdbArguments)
  const [postgres, ...postgresArguments] = command(
    join(binaries, 'postgres'),
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', data],
  )
  const server = spawn(postgres, postgresArguments, { stdio: 'ignore' })
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  for (let tries = 0; tries < 100 && !(await answers(url)); tries++) await sleep(100)
  return {
    url,
    stop: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGINT')
      await ended
    },
  }
}

async function findPostgresBinaries(): Promise<string | null> {
  const places = [
    '/usr/lib/postgresql/*/bin',
    '/usr/local/bin',
    '/usr/bin',
    '/opt/homebrew/bin',
    '/usr/local/pgsql/bin',
  ]
  const { stdout } = await run('sh', [
    '-c',
    `ls -d ${places.map((place) => `${place}/initdb`).join(' ')} 2>/dev/null || true`,
  ])
  const newest = stdout.trim().split('\n').filter(Boolean).sort().at(-1)
  return newest === undefined ? null : newest.replace(/\/initdb$/, '')
}

async function installByApt(name: string): Promise<boolean> {
  if (!isCi || process.getuid?.() !== 0) return false
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  await run('apt-get', ['update', '-qq'], options)
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], options)
  return true
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

async function createTemplate(folder: string): Promise<string> {
  const sync = createClerkSync({ signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', database: folder })
  await sync.migrate()
  await sync.close()
  return folder
}

/** Used by `databases.ts`; here because both know what a template is. */
export function copyTemplate(template: string, folder: string): Promise<void> {
  return cp(template, folder, { recursive: true })
}
