/** File systems that can be full: two small ones in memory, for a Postgres' data and for its write-ahead log. */

import { execFile, execFileSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import type { PostgresPlace } from '../test/support/postgres-server.ts'

const run = promisify(execFile)
const SIZE = '1g'
const CHUNK = Buffer.alloc(1_048_576)

export type Part = 'data' | 'wal'

export class Disk {
  readonly folder: string
  /** Whether the file systems are its own: only root may mount. */
  readonly isMounted: boolean

  private constructor(folder: string, isMounted: boolean) {
    this.folder = folder
    this.isMounted = isMounted
  }

  static async create(): Promise<Disk> {
    const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-chaos-'))
    // Postgres runs as a user of its own, who has to get here.
    await chmod(folder, 0o755)
    for (const part of ['data', 'wal']) await mkdir(join(folder, part))
    const disk = new Disk(folder, await mount(folder))
    process.on('exit', () => disk.unmount())
    return disk
  }

  /** Postgres wants folders of its own, beside what fills the file systems. */
  async place(settings: PostgresPlace['settings']): Promise<PostgresPlace> {
    const data = join(this.folder, 'data', 'postgres')
    const wal = join(this.folder, 'wal', 'postgres')
    for (const path of [data, wal]) await mkdir(path)
    return { data, wal, settings }
  }

  /** Takes all the space that is left. */
  async fill(part: Part): Promise<void> {
    const ballast = Readable.from(endless())
    await pipeline(ballast, createWriteStream(this.#ballast(part))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error
    })
  }

  async free(part: Part): Promise<void> {
    await rm(this.#ballast(part), { force: true })
  }

  /** Nothing may stay mounted, however the process ends. */
  unmount(): void {
    if (!this.isMounted) return
    for (const part of ['data', 'wal']) {
      try {
        execFileSync('umount', ['--lazy', join(this.folder, part)], { stdio: 'ignore' })
      } catch {
        // It was unmounted before.
      }
    }
  }

  #ballast(part: Part): string {
    return join(this.folder, part, 'ballast')
  }
}

async function mount(folder: string): Promise<boolean> {
  try {
    for (const part of ['data', 'wal'])
      await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'tmpfs', join(folder, part)])
    return true
  } catch {
    return false
  }
}

function* endless(): Generator<Buffer> {
  while (true) yield CHUNK
}
