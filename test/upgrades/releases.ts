/** The released versions, from the tags of this clone, and their packages, built from them. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const shell = (command: string, cwd: string) => run('sh', ['-c', command], { cwd, maxBuffer: 2 ** 26 })

export interface Releases {
  /** Newest last. */
  readonly tags: readonly string[]
  /** Versions that the changelog dates and this clone has no tag of. */
  readonly missing: readonly string[]
  readonly isShallow: boolean
}

/**
 * A clone cannot know what was tagged elsewhere, but the changelog does: a version that it dates was released. The one that
 * package.json has may be about to be tagged.
 */
export function findReleases(facts: {
  readonly tags: string
  readonly isShallow: boolean
  readonly changelog: string
  readonly version: string
}): Releases {
  const tags = facts.tags
    .split('\n')
    .filter((tag) => /^v\d+\.\d+\.\d+$/.test(tag))
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  const dated = [...facts.changelog.matchAll(/^## (\d+\.\d+\.\d+) /gm)].map(([, version = '']) => version)
  const missing = dated.filter((version) => version !== facts.version && !tags.includes(`v${version}`))
  return { tags, missing, isShallow: facts.isShallow }
}

/** Why there is nothing to upgrade from; undefined if there is something. */
export function describeAbsence({ tags, missing, isShallow }: Releases): string | undefined {
  if (missing.length > 0)
    return `this clone lacks the tags of ${missing.join(', ')}; run git fetch --tags${isShallow ? ' --unshallow' : ''}`
  if (tags.length > 0) return undefined
  return `nothing has been released: there is no tag v*, and CHANGELOG.md dates no version${isShallow ? ' (the clone is shallow)' : ''}`
}

export async function readReleases(): Promise<Releases> {
  const { stdout: tags } = await shell('git tag --list "v*"', root)
  const { stdout: isShallow } = await shell('git rev-parse --is-shallow-repository', root)
  const { stdout: changelog } = await shell('cat CHANGELOG.md', root)
  const { stdout: manifest } = await shell('cat package.json', root)
  return findReleases({
    tags,
    isShallow: isShallow.trim() === 'true',
    changelog,
    version: JSON.parse(manifest).version,
  })
}

/** An installed version. */
export interface Installed {
  /** The program of the command line. */
  readonly main: string
  remove(): Promise<void>
}

/** Builds and installs the package of a tag as npm would publish it; of this tree without one. */
export async function install(tag?: string): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-release-'))
  const app = join(folder, 'app')
  await shell('mkdir -p app source', folder)
  const source = tag === undefined ? root : join(folder, 'source')
  if (tag !== undefined) {
    await shell(`git archive ${tag} | tar -x -C ${source}`, root)
    await installDependencies(source)
  }
  await shell(`npm pack --pack-destination ${folder}`, source)
  await writeFile(join(app, 'package.json'), '{"private":true,"type":"module"}')
  await shell(`npm install --no-audit --no-fund ${folder}/clerk-sync-*.tgz`, app)
  return {
    main: join(app, 'node_modules/clerk-sync/dist/cli/main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Those of this tree, where the tag locks the same ones: the usual case for the last tag, and minutes quicker. */
async function installDependencies(source: string): Promise<void> {
  const isSame = await shell(`cmp ${root}package-lock.json package-lock.json`, source).then(
    () => true,
    () => false,
  )
  await shell(isSame ? `ln -s ${root}node_modules node_modules` : 'npm ci --no-audit --no-fund', source)
}
