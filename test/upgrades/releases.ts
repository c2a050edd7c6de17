/** The released versions, from the tags and commits of this clone, and their packages, built from them. */

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pack } from '../../scripts/pack.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const shell = (command: string, cwd: string) => run('sh', ['-c', command], { cwd, maxBuffer: 2 ** 26 })

export interface Release {
  readonly version: string
  /** What git knows it by: its tag, or its commit where the tag was not fetched. */
  readonly ref: string
}

export interface Releases {
  /** Newest last. */
  readonly found: readonly Release[]
  /** Versions that the changelog dates and this clone does not have. */
  readonly missing: readonly string[]
  readonly isShallow: boolean
}

interface Facts {
  readonly tags: string
  /** A line for each commit that may be a release: its hash and its subject. */
  readonly commits: string
  readonly isShallow: boolean
  readonly changelog: string
  readonly version: string
}

/**
 * A clone cannot know what was released elsewhere, but the changelog does: it dates every version. The one that package.json has may
 * be about to be released.
 */
export function findReleases({ tags, commits, isShallow, changelog, version }: Facts): Releases {
  const refs = new Map([
    ...[...commits.matchAll(/^(\w+) release: (\d+\.\d+\.\d+)$/gm)].map(
      ([, ref = '', name = '']) => [name, ref] as const,
    ),
    ...[...tags.matchAll(/^v(\d+\.\d+\.\d+)$/gm)].map(([tag, name = '']) => [name, tag] as const),
  ])
  const found = [...refs].map(([name, ref]) => ({ version: name, ref })).sort(byVersion)
  const dated = [...changelog.matchAll(/^## (\d+\.\d+\.\d+) /gm)].map(([, name = '']) => name)
  return { found, missing: dated.filter((name) => name !== version && !refs.has(name)), isShallow }
}

function byVersion(one: Release, other: Release): number {
  return one.version.localeCompare(other.version, 'en', { numeric: true })
}

/** Why there is nothing to upgrade from; undefined if there is something. */
export function describeAbsence({ found, missing, isShallow }: Releases): string | undefined {
  if (missing.length > 0)
    return `this clone lacks the releases ${missing.join(', ')}; run git fetch --tags${isShallow ? ' --unshallow' : ''}`
  if (found.length > 0) return undefined
  return `this clone has no release: no tag v*, and no commit "release: …"${isShallow ? ' (it is shallow)' : ''}`
}

export async function readReleases(): Promise<Releases> {
  const output = async (command: string) => (await shell(command, root)).stdout
  return findReleases({
    tags: await output('git tag --list "v*"'),
    commits: await output('git log --grep "^release: " --format="%H %s"'),
    isShallow: (await output('git rev-parse --is-shallow-repository')).trim() === 'true',
    changelog: await output('cat CHANGELOG.md'),
    version: JSON.parse(await output('cat package.json')).version,
  })
}

/** An installed version. */
export interface Installed {
  /** The program of the command line. */
  readonly main: string
  remove(): Promise<void>
}

/** Builds and installs the package of a release as npm would publish it; of this tree without one. */
export async function install(release?: Release): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-release-'))
  const app = join(folder, 'app')
  await shell('mkdir -p app source', folder)
  if (release === undefined) await pack(folder)
  else await packRelease(release, join(folder, 'source'), folder)
  await writeFile(join(app, 'package.json'), '{"private":true,"type":"module"}')
  await shell(`npm install --no-audit --no-fund ${folder}/clerk-sync-*.tgz`, app)
  return {
    main: join(app, 'node_modules/clerk-sync/dist/cli/main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function packRelease({ ref }: Release, source: string, folder: string): Promise<void> {
  await shell(`git archive ${ref} | tar -x -C ${source}`, root)
  await installDependencies(source)
  await shell(`npm pack --pack-destination ${folder}`, source)
}

/** Those of this tree, where the release locks the same ones: the usual case for the last one, and minutes quicker. */
async function installDependencies(source: string): Promise<void> {
  const isSame = await shell(`cmp ${root}package-lock.json package-lock.json`, source).then(
    () => true,
    () => false,
  )
  await shell(isSame ? `ln -s ${root}node_modules node_modules` : 'npm ci --no-audit --no-fund', source)
}
