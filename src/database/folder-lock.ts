/**
 * An exclusive lock on a folder, held by one process.
 *
 * PGlite takes none: two processes on one folder both succeed and lose each other's rows without an error.
 */

import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ClerkSyncError } from '../errors.ts'

interface Owner {
  /** Makes the text of every lock unlike every other. */
  readonly token: string
  readonly pid: number
  /** When the process started, in the kernel's ticks: tells it from a later process with the same id. */
  readonly startTicks: string | null
  readonly host: string
}

/** How often the owner touches its lock, so that other hosts (containers that share the folder) see it is alive. */
const HEARTBEAT_MS = 5_000
const SILENT_MS = 30_000

/**
 * Locks the folder, taking over the lock of a process that is gone.
 * @returns a function that releases the lock
 * @throws {ClerkSyncError} `embedded_locked`, naming the owner
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'lock')
  const self: Owner = {
    token: randomUUID(),
    pid: process.pid,
    startTicks: await startTicks(process.pid),
    host: hostname(),
  }
  const lock = JSON.stringify(self)
  await acquire(path, lock, folder)
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS).unref()
  return async () => {
    clearInterval(heartbeat)
    // A process that was stopped for long may have lost its lock to another one.
    if ((await readLock(path)) === lock) await rm(path, { force: true })
  }
}

async function acquire(path: string, lock: string, folder: string): Promise<void> {
  // Written under another name and then linked: a lock file is complete from its first moment, and link fails if one exists.
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, lock)
  try {
    while (!(await succeeds(link(draft, path), 'EEXIST'))) {
      const found = await readLock(path)
      // Released in between: removing what is not there would remove the next one's.
      if (found === undefined) continue
      const owner = parseOwner(found)
      if (owner && (await isAlive(owner, path))) throw lockedBy(owner, folder)
      await removeStale(path, found)
    }
  } finally {
    await rm(draft, { force: true })
  }
}

function lockedBy(owner: Owner, folder: string): ClerkSyncError {
  const where = owner.host === hostname() ? '' : ` on ${owner.host}`
  return new ClerkSyncError('embedded_locked', `process ${owner.pid}${where} has ${folder} open`)
}

/** One process at a time removes a stale lock; otherwise a slow one could remove the lock that a quick one has just taken. */
async function removeStale(path: string, stale: string): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await succeeds(mkdir(guard), 'EEXIST'))) {
    if ((await ageOf(guard)) > SILENT_MS) await succeeds(rmdir(guard), 'ENOENT')
    await new Promise((resolve) => setTimeout(resolve, 20))
    return
  }
  try {
    if ((await readLock(path)) === stale) await rm(path, { force: true })
  } finally {
    await rmdir(guard)
  }
}

async function isAlive(owner: Owner, path: string): Promise<boolean> {
  if (owner.host !== hostname()) return (await ageOf(path)) < SILENT_MS
  return (
    isRunning(owner.pid) && (owner.startTicks === null || owner.startTicks === (await startTicks(owner.pid)))
  )
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Only Linux tells without a subprocess; elsewhere the process id alone must do. */
async function startTicks(pid: number): Promise<string | null> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  // The second field is the command in parentheses and may hold spaces; the start time is the 20th after it.
  return status?.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Nobody, if the file is not one that this wrote. */
function parseOwner(lock: string): Owner | undefined {
  try {
    const owner = JSON.parse(lock)
    return Number.isInteger(owner?.pid) && typeof owner.host === 'string' ? owner : undefined
  } catch {
    return undefined
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  await utimes(path, now, now).catch(() => undefined)
}

/** Not a number if there is nothing: neither alive nor silent. */
async function ageOf(path: string): Promise<number> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.NaN }))
  return Date.now() - mtimeMs
}

async function succeeds(operation: Promise<unknown>, expectedFailure: string): Promise<boolean> {
  try {
    await operation
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expectedFailure) return false
    throw error
  }
}
