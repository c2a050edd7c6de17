/** Before the frameworks' tests: the packed package, installed into every app beside what its lock file says. */

import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pack, twoAtOnce } from '../../scripts/pack.ts'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))

export default async function install(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-frameworks-'))
  try {
    const { tarball } = await pack(folder)
    const manifests = globSync('*/package.json', { cwd: here }).sort()
    await twoAtOnce(manifests, (manifest) => installInto(dirname(manifest), tarball))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function installInto(name: string, tarball: string): Promise<void> {
  const startedAt = performance.now()
  const cwd = join(here, name)
  // A developer's second run keeps what is there; CI begins with a clean clone.
  if (process.env.CI || !existsSync(join(cwd, 'node_modules'))) await run('npm', ['ci'], { cwd })
  await run('npm', ['install', '--no-save', tarball], { cwd })
  console.log(`installed ${name} in ${Math.round((performance.now() - startedAt) / 1000)} s`)
}
