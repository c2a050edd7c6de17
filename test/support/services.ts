/**
 * The servers that tests talk to. Each is taken from its environment variable, else from its usual address, else started
 * from an installed binary, else installed by apt where that is possible (root, in CI). In CI a missing server fails the
 * run; elsewhere the tests that need it say that they were skipped.
 */

import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { createClerkSync } from '../../src/index.ts'
import { findChromium } from './chromium.ts'
import { findPostgresBinaries, PostgresServer, postgresAnswers } from './postgres-server.ts'
import { RedisServer, redisAnswers } from './redis-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string | null
    /** The folder of an installed Postgres' programs, for tests that stop one of their own. */
    postgresBinaries: string | null
    redisUrl: string | null
    /** A folder with an embedded database that has been created and migrated: copying it is ten times faster. */
    embeddedTemplate: string
    /** The path of a Chromium. */
    chromium: string | null
    /** The path of PgBouncer. */
    pgbouncer: string | null
    /** The paths of Prometheus and of its linter. */
    prometheus: string | null
    promtool: string | null
    /** The path of systemd's linter of units. */
    systemdAnalyze: string | null
  }
}

const run = promisify(execFile)
const isCi = Boolean(process.env.CI)

export default async function setup(project: TestProject) {
  process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/node-compile')
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-test-'))
  await run(process.execPath, ['scripts/dashboard-assets.ts'])
  const binaries = (await findPostgresBinaries()) ?? (await installPostgres())
  if (binaries === null && isCi) throw new Error('CI needs an installed Postgres, for tests that stop it.')
  project.provide('postgresBinaries', binaries)
  const postgres = await findPostgres(binaries)
  if (postgres === null && isCi) throw new Error('CI needs a Postgres: set TEST_DATABASE_URL or install one.')
  const redis = await findRedis()
  if (redis === null && isCi) throw new Error('CI needs a Redis: set TEST_REDIS_URL or install one.')
  project.provide('postgresUrl', postgres?.url ?? null)
  const chromium = await findChromium(() => installByApt('chromium'))
  if (chromium === null && isCi) throw new Error('CI needs a Chromium: set TEST_CHROMIUM or install one.')
  project.provide('chromium', chromium)
  project.provide('redisUrl', redis?.url ?? null)
  project.provide('pgbouncer', await findProgram('pgbouncer', 'pgbouncer'))
  project.provide('systemdAnalyze', await findProgram('systemd-analyze', 'systemd'))
  project.provide('promtool', await findProgram('promtool', 'prometheus'))
  project.provide('prometheus', await findProgram('prometheus', 'prometheus'))
  project.provide('embeddedTemplate', await createTemplate(join(folder, 'template')))
  return async () => {
    await postgres?.stop()
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** @throws in CI, if it can be neither found nor installed */
async function findProgram(name: string, aptPackage: string): Promise<string | null> {
  const program = (await which(name)) ?? ((await installByApt(aptPackage)) ? await which(name) : null)
  if (program === null && isCi) throw new Error(`CI needs ${name}: install ${aptPackage}.`)
  return program
}

async function which(name: string): Promise<string | null> {
  const { stdout } = await run('sh', ['-c', `command -v ${name}`]).catch(() => ({ stdout: '' }))
  return stdout.trim() || null
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

async function installPostgres(): Promise<string | null> {
  return (await installByApt('postgresql')) ? findPostgresBinaries() : null
}

async function findPostgres(binaries: string | null): Promise<Service | null> {
  const { TEST_DATABASE_URL: configured } = process.env
  if (configured) return { url: configured, stop: async () => undefined }
  for (const url of POSTGRES_ADDRESSES) {
    if (await postgresAnswers(url)) return { url, stop: async () => undefined }
  }
  return binaries === null ? null : startPostgres(binaries)
}

const REDIS_ADDRESS = 'redis://127.0.0.1:6379'

async function findRedis(): Promise<Service | null> {
  const { TEST_REDIS_URL: configured } = process.env
  const url = configured ?? REDIS_ADDRESS
  if (configured || (await redisAnswers(url))) return { url, stop: async () => undefined }
  return (await RedisServer.start()) ?? ((await installByApt('redis-server')) ? RedisServer.start() : null)
}

/** One of our own. */
async function startPostgres(binaries: string): Promise<Service> {
  const server = await PostgresServer.create(binaries)
  return { url: server.url, stop: () => server.remove() }
}

async function installByApt(name: string): Promise<boolean> {
  if (!isCi || process.getuid?.() !== 0) return false
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  await run('apt-get', ['update', '-qq'], options)
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], options)
  return true
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
