/**
 * What is published with a tag: `node scripts/release-assets.ts v1.2.3`.
 *
 * Checks that the tag is the version of package.json and that the changelog has it, and writes the bills of materials of
 * what the package installs or bundles, sbom.cdx.json (CycloneDX) and sbom.spdx.json (SPDX), and release-notes.md.
 */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import manifest from '../package.json' with { type: 'json' }
import lock from '../package-lock.json' with { type: 'json' }
import { BUNDLED } from './bundle-cli.ts'
import { keep, type Lock, promote } from './image-dependencies.ts'

const FORMATS = { 'sbom.cdx.json': 'cyclonedx', 'sbom.spdx.json': 'spdx' } as const

const run = promisify(execFile)

export async function writeAssets(version: string, changelog: string, folder = '.'): Promise<string[]> {
  await writeFile(join(folder, NOTES), `${notesOf(version, changelog)}\n`)
  return [...(await writeBillsOfMaterials(folder)), NOTES]
}

const NOTES = 'release-notes.md'

/** The changelog's section of a version, without its heading. */
export function notesOf(version: string, changelog: string): string {
  const sections = changelog.split(/^## /m)
  const section = sections.find((each) => each.startsWith(`${version} `) || each.startsWith(`${version}\n`))
  return section?.slice(section.indexOf('\n')).trim() ?? ''
}

export function faultsOf(tag: string, version: string, changelog: string): string[] {
  const faults: string[] = []
  if (tag !== `v${version}`) faults.push(`The tag is ${tag}, but package.json has version ${version}.`)
  if (!changelog.includes(`\n## ${version}`)) faults.push(`CHANGELOG.md has no section "## ${version}".`)
  return faults
}

/**
 * Of the locked dependencies, without reading node_modules. Bundled packages are listed as dependencies. `npm sbom
 * --omit=dev` also omits what both the package and its tests depend on, so it is asked about a project without tests.
 */
export async function writeBillsOfMaterials(folder = '.'): Promise<string[]> {
  const project = await mkdtemp(join(tmpdir(), 'clerk-sync-sbom-'))
  const { manifest: shipped, lock: locked } = shippedPackages()
  await writeFile(join(project, 'package.json'), JSON.stringify(shipped))
  await writeFile(join(project, 'package-lock.json'), JSON.stringify(locked))
  for (const [file, format] of Object.entries(FORMATS)) {
    const args = ['sbom', '--package-lock-only', `--sbom-format=${format}`]
    const { stdout } = await run('npm', args, { cwd: project, maxBuffer: 2 ** 26 })
    await writeFile(join(folder, file), stdout)
  }
  await rm(project, { recursive: true })
  return Object.keys(FORMATS)
}

/** package.json and its lock file, without development and peers. */
function shippedPackages() {
  const { peerDependencies: _, peerDependenciesMeta: __, ...whole } = structuredClone(manifest)
  promote(whole, BUNDLED)
  const { devDependencies: ___, ...shipped } = whole
  const kept = { packages: structuredClone(lock.packages) as object as Lock['packages'] }
  for (const name of BUNDLED) keep(kept, name)
  const packages = Object.entries(kept.packages).filter(([, entry]) => !isDevelopment(entry))
  return { manifest: shipped, lock: { ...lock, packages: { ...Object.fromEntries(packages), '': shipped } } }
}

function isDevelopment(entry: object): boolean {
  return ['dev', 'devOptional', 'peer'].some((mark) => mark in entry)
}

if (import.meta.main) {
  const [tag = ''] = process.argv.slice(2)
  const changelog = await readFile('CHANGELOG.md', 'utf8')
  const faults = faultsOf(tag, manifest.version, changelog)
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exit(1)
  console.log((await writeAssets(manifest.version, changelog)).join('\n'))
}
