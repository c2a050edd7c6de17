/** Before the frameworks' tests: the packed package, installed into every app beside what its lock file says. */

import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

export default async function install(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-frameworks-'))
  try {
    await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
    const [tarball = ''] = await readdir(folder)
    const manifests = globSync('*/package.json', { cwd: here }).sort()
    // npm waits for the network half of the time, so that two at once use both cores.
    const queue = manifests.values()
    const installNext = async () => {
      for (const manifest of queue) await installInto(dirname(manifest), join(folder, tarball))
    }
    await Promise.all([installNext(), installNext()])
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
