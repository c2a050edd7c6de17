/** Runs a suite on every database, each time on a fresh one. */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, describe, inject } from 'vitest'
import { type ClerkSync, type ClerkSyncOptions, createClerkSync } from '../../src/index.ts'
import { copyTemplate } from './services.ts'

/** The secret that tests sign with. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

export interface TestDatabase {
  readonly name: 'PGlite' | 'Postgres'
  /** Where a sync finds it. Calling again gives the same place. */
  location(): Promise<{ database: string; schema: string }>
  /** A migrated sync on it; closed after the file's tests. */
  open(options?: ClerkSyncOptions): Promise<ClerkSync>
}

/**
 * Runs the suite for the embedded database and for Postgres. Each call makes fresh databases: a folder of its own, a
 * schema of its own.
 */
export function describeEachDatabase(title: string, suite: (database: TestDatabase) => void): void {
  describe(`${title}, on PGlite`, () => suite(embeddedDatabase()))
  describeWithPostgres(`${title}, on Postgres`, (url) => suite(postgresDatabase(url)))
}

/** Runs the suite with a Postgres; without one it is reported as skipped, except in CI, where the run has failed before. */
export function describeWithPostgres(title: string, suite: (url: string) => void): void {
  const url = inject('postgresUrl')
  if (url === null) describe.skip(`${title} (needs a Postgres: set TEST_DATABASE_URL)`, () => suite(''))
  else describe(title, () => suite(url))
}

export function embeddedDatabase(): TestDatabase {
  let folder: Promise<string> | undefined
  const location = async () => {
    folder ??= mkdtemp(join(tmpdir(), 'clerk-sync-')).then(async (path) => {
      await copyTemplate(inject('embeddedTemplate'), path)
      return path
    })
    return { database: await folder, schema: 'clerk' }
  }
  const opened = closedAfterwards()
  afterAll(async () => {
    if (folder) await rm(await folder, { recursive: true, force: true })
  })
  return { name: 'PGlite', location, open: (options) => openAt(location, opened, options) }
}

export function postgresDatabase(url: string): TestDatabase {
  const schema = `test_${randomBytes(6).toString('hex')}`
  const location = async () => ({ database: url, schema })
  const opened = closedAfterwards()
  afterAll(() => dropSchema(url, schema))
  return { name: 'Postgres', location, open: (options) => openAt(location, opened, options) }
}

async function openAt(
  location: TestDatabase['location'],
  opened: ClerkSync[],
  options: ClerkSyncOptions = {},
): Promise<ClerkSync> {
  const sync = createClerkSync({ signingSecret: SECRET, log: silent, ...(await location()), ...options })
  opened.push(sync)
  await sync.migrate()
  return sync
}

function closedAfterwards(): ClerkSync[] {
  const opened: ClerkSync[] = []
  afterAll(async () => {
    for (const sync of opened) await sync.close()
  })
  return opened
}

export async function dropSchema(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`drop schema if exists "${schema}" cascade`)
  await client.end()
}

/** For tests that do not look at the log. */
export const silent = { debug() {}, info() {}, warn() {}, error() {} }
