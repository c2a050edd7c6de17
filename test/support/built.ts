/** The package as it is installed: JavaScript, which also a Node without type stripping runs. */

import { execFile } from 'node:child_process'
import { copyFile, cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle } from '../../scripts/bundle-cli.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface BuiltPackage extends AsyncDisposable {
  readonly folder: string
  /** The executable. */
  readonly main: string
}

/** The package in a temporary folder, with the packages that it needs. */
export async function buildPackage(): Promise<BuiltPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-built-'))
  await installPackage(folder)
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return {
    folder,
    main: join(folder, 'dist/cli/main.js'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/**
 * Puts the package into a folder, such as `node_modules/clerk-sync` of an app. It is built, or with IS_BUILT, as in CI, copied from where
 * it was.
 */
export async function installPackage(folder: string): Promise<void> {
  if (process.env.IS_BUILT) return copyPackage(ROOT, folder)
  const dist = join(folder, 'dist')
  await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', dist])
  await bundle(dist)
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'))
}

/** Without its `node_modules`: real files, which find only what is installed around their new place. */
export async function copyPackage(from: string, folder: string): Promise<void> {
  await cp(join(from, 'dist'), join(folder, 'dist'), { recursive: true })
  await copyFile(join(from, 'package.json'), join(folder, 'package.json'))
}
