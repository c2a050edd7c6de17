/**
 * Makes a release: `npm run release -- 1.2.3`, or with `--dry-run` to see what it would do.
 *
 * Checks the tree and the version, dates the changelog, builds and checks the package as npm would publish it, writes the
 * bills of materials and the notes, commits and tags. It pushes and publishes nothing.
 */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { parseArgs, promisify } from 'node:util'
import manifest from '../package.json' with { type: 'json' }
import { notesOf, writeAssets } from './release-assets.ts'

/** Who copies an example installs the version that it was tried with. */
const EXAMPLES = globSync('examples/*/package.json')
const FILES = ['CHANGELOG.md', 'package.json', 'package-lock.json', ...EXAMPLES]
/** Not committed. */
const FOLDER = 'release'
const UNRELEASED = '## Unreleased\n'

const run = promisify(execFile)

/** What a release is made from. */
export interface Facts {
  readonly version: string
  readonly current: string
  readonly tags: readonly string[]
  /** As `git status --porcelain` says it. */
  readonly changes: string
  readonly changelog: string
}

/** Why a release cannot be made; empty if it can. */
export function releaseFaults({ version, current, tags, changes, changelog }: Facts): string[] {
  const faults: string[] = []
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/.test(version))
    return [`"${version}" is not a version: give one such as 0.2.0.`]
  if (changes.trim() !== '') faults.push(`The tree has changes. Commit or remove them:\n${changes.trimEnd()}`)
  for (const earlier of [current, ...tags.map((tag) => tag.replace(/^v/, ''))])
    if (!isNewer(version, earlier)) faults.push(`${version} is not newer than ${earlier}.`)
  if (!/^- /m.test(unreleased(changelog))) faults.push('CHANGELOG.md has nothing under "## Unreleased".')
  return faults
}

/** The changelog with its unreleased section under the version's name, and an empty one above. */
export function dateChangelog(changelog: string, version: string, date: Date): string {
  const heading = `## ${version} (${date.toISOString().slice(0, 10)})\n`
  return changelog.replace(UNRELEASED, `${UNRELEASED}\n${heading}`)
}

/** An example's package.json that asks for this version of ours. */
export function withVersion(example: string, version: string): string {
  return example.replace(/("clerk-sync": "\^)[^"]+/, `$1${version}`)
}

function unreleased(changelog: string): string {
  const [, after = ''] = changelog.split(UNRELEASED)
  return after.split(/^## /m)[0] as string
}

/** By number; a prerelease comes before its release. */
function isNewer(version: string, earlier: string): boolean {
  const key = (text: string) => {
    const [numbers = '', prerelease] = text.split(/-(.*)/s)
    const padded = numbers.split('.').map((number) => number.padStart(9, '0'))
    return `${padded.join('.')} ${prerelease === undefined ? '~' : prerelease}`
  }
  return key(version) > key(earlier)
}

async function git(...words: string[]): Promise<string> {
  return (await run('git', words)).stdout
}

async function npm(...words: string[]): Promise<void> {
  console.log(`\n> npm ${words.join(' ')}`)
  const [code] = await once(spawn('npm', words, { stdio: 'inherit' }), 'exit')
  if (code !== 0) throw new Error(`npm ${words.join(' ')} failed`)
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  })
  const [version = ''] = positionals
  const changelog = await readFile('CHANGELOG.md', 'utf8')
  const faults = releaseFaults({
    version,
    current: manifest.version,
    tags: (await git('tag', '--list', 'v*')).split('\n').filter(Boolean),
    changes: await git('status', '--porcelain'),
    changelog,
  })
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exit(1)
  const dated = dateChangelog(changelog, version, new Date())
  if (values['dry-run']) await rehearse(version, dated)
  else await release(version, dated)
}

/** Everything that leaves the tree as it is. */
async function rehearse(version: string, changelog: string): Promise<void> {
  await check()
  console.log(`\n${await writeAll(version, changelog)}\n\n${notesOf(version, changelog)}`)
  console.log(
    `\nNothing was changed. Without --dry-run ${FILES.join(', ')} would say ${version}, and v${version} be tagged.`,
  )
}

async function release(version: string, changelog: string): Promise<void> {
  try {
    await writeFile('CHANGELOG.md', changelog)
    await npm('version', version, '--no-git-tag-version')
    for (const path of EXAMPLES) await writeFile(path, withVersion(await readFile(path, 'utf8'), version))
    await check()
  } catch (error) {
    await git('checkout', '--', ...FILES)
    throw error
  }
  const files = await writeAll(version, changelog)
  await git('commit', '--message', `release: ${version}`, '--', ...FILES)
  await git('tag', '--annotate', `v${version}`, '--file', `${FOLDER}/release-notes.md`, '--cleanup=verbatim')
  console.log(`\nv${version} is tagged. ${files}\n\nTo publish it:\n${publishing(version)}`)
}

/** The package as npm would publish it, built from this tree. */
async function check(): Promise<void> {
  await npm('run', 'build')
  await npm('run', 'package')
}

async function writeAll(version: string, changelog: string): Promise<string> {
  await mkdir(FOLDER, { recursive: true })
  return `In ${FOLDER}: ${(await writeAssets(version, changelog, FOLDER)).join(', ')}`
}

/** The workflow of the tag does the same, and signs where the package came from. */
function publishing(version: string): string {
  return ['git push --follow-tags', `npm publish --provenance --access public  # v${version}`].join('\n')
}

if (import.meta.main) {
  await main().catch((error: Error) => {
    console.error(`\n${error.message}`)
    process.exitCode = 1
  })
}
