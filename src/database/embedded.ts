/**
 * The embedded database: PGlite, a Postgres inside this process, in a folder.
 *
 * What it promises: committed data survives a crash of the process. It never calls fsync, so it may not survive a
 * power loss; production wants a Postgres.
 */

import { mkdir, realpath } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { PGlite as PGliteOfKysely, PGliteTransaction as TransactionOfKysely } from 'kysely'
import { ClerkSyncError } from '../errors.ts'
import { lockFolder } from './folder-lock.ts'

interface Exec {
  exec(sql: string): Promise<{ rows: object[] }[]>
}

/** What is used of PGlite. Its own types, in ours, would ask every app for a package that is optional. */
export interface PGlite extends Omit<PGliteOfKysely, 'transaction'>, Exec {
  transaction<Result>(callback: (transaction: PGliteTransaction) => Promise<Result>): Promise<Result>
  /** @returns what ends it */
  listen(channel: string, callback: (payload: string) => void): Promise<() => Promise<void>>
}

export interface PGliteTransaction extends TransactionOfKysely, Exec {}

interface Opened {
  readonly pglite: Promise<PGlite>
  users: number
  /** Since the last user has left. */
  closing?: Promise<void>
}

/**
 * One instance per folder and process: two instances on one folder would lose each other's rows. Development servers
 * reload modules with every edit, so the registry lives on the global object.
 */
const REGISTRY = Symbol.for('clerk-sync.embedded')
const registry = globalThis as { [REGISTRY]?: Map<string, Opened> }

/** What Kysely needs of PGlite; closing it gives back this caller's share. */
export interface EmbeddedHandle {
  readonly pglite: PGlite
  close(): Promise<void>
}

/** The address of a database that lives in memory only, for tests. */
export const IN_MEMORY = 'memory://'

/**
 * Opens the database in a folder, creating both if needed.
 * @throws {ClerkSyncError} `embedded_locked` or `embedded_unavailable`
 */
export async function openEmbedded(folder: string): Promise<EmbeddedHandle> {
  if (folder === IN_MEMORY) {
    const pglite = await createPGlite(IN_MEMORY)
    return { pglite, close: () => pglite.close() }
  }
  await mkdir(folder, { recursive: true })
  return share(await realpath(folder))
}

async function share(folder: string): Promise<EmbeddedHandle> {
  registry[REGISTRY] ??= new Map()
  const opened = registry[REGISTRY]
  // Its lock is free only when it is closed.
  while (opened.get(folder)?.closing) await opened.get(folder)?.closing
  const entry: Opened = opened.get(folder) ?? { pglite: openLocked(folder), users: 0 }
  opened.set(folder, entry)
  entry.users++
  try {
    const pglite = await entry.pglite
    let left: Promise<void> | undefined
    return { pglite, close: () => (left ??= leave(entry, () => opened.delete(folder))) }
  } catch (error) {
    if (opened.get(folder) === entry) opened.delete(folder)
    throw error
  }
}

async function leave(entry: Opened, forget: () => void): Promise<void> {
  entry.users--
  if (entry.users > 0) return
  entry.closing = entry.pglite.then((pglite) => pglite.close()).finally(forget)
  await entry.closing
}

async function openLocked(folder: string): Promise<PGlite> {
  const release = await lockFolder(folder)
  try {
    const pglite = await createPGlite(join(folder, 'pgdata'))
    const close = pglite.close.bind(pglite)
    pglite.close = () => close().finally(release)
    return pglite
  } catch (error) {
    await release()
    throw error
  }
}

async function createPGlite(dataDir: string): Promise<PGlite> {
  let pglite: typeof import('@electric-sql/pglite')
  try {
    pglite = createRequire(import.meta.url)(/* turbopackIgnore: true */ packageName())
  } catch (cause) {
    throw new ClerkSyncError('embedded_unavailable', undefined, { cause })
  }
  return pglite.PGlite.create(dataDir)
}

/**
 * Out of sight of bundlers and tracers: they follow every import they understand, and would put 27 MB into serverless
 * functions that have a Postgres. Node resolves it when it runs, from where this file was installed.
 */
function packageName(): string {
  return '@electric-sql/pglite'
}
