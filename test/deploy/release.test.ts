import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import lock from '../../package-lock.json' with { type: 'json' }
import { BUNDLED } from '../../scripts/bundle-cli.ts'
import { dateChangelog, type Facts, releaseFaults, withVersion } from '../../scripts/release.ts'
import { faultsOf, notesOf, writeBillsOfMaterials } from '../../scripts/release-assets.ts'

it('refuses a tag that is another version, and a version without a changelog', () => {
  const changelog = '# Changelog\n\n## 1.2.3\n\n- x\n'
  expect(faultsOf('v1.2.3', '1.2.3', changelog)).toEqual([])
  expect(faultsOf('v1.2.4', '1.2.3', changelog)).toHaveLength(1)
  expect(faultsOf('v1.2.4', '1.2.4', changelog)).toHaveLength(1)
})

const CHANGELOG = '# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.9 (2026-01-01)\n\n- Old.\n'
const facts = (changes: Partial<Facts> = {}): Facts => ({
  version: '0.2.0',
  current: '0.1.0',
  tags: ['v0.1.9'],
  changes: '',
  changelog: CHANGELOG,
  ...changes,
})

it('makes a release of a clean tree with a newer version and something to tell', () => {
  expect(releaseFaults(facts())).toEqual([])
  expect(releaseFaults(facts({ version: '0.10.0', tags: ['v0.9.0'] }))).toEqual([])
  expect(releaseFaults(facts({ tags: ['v0.2.0-beta.1'] }))).toEqual([])
})

it.each<[string, Partial<Facts>, RegExp]>([
  ['what is no version', { version: 'v0.2.0' }, /not a version/],
  ['none', { version: '' }, /not a version/],
  ['a tree with changes', { changes: ' M src/index.ts\n' }, /has changes.*src\/index\.ts/s],
  ['a version that was tagged', { tags: ['v0.2.0'] }, /not newer than 0\.2\.0/],
  ['an older one', { version: '0.9.0', tags: ['v0.10.0'] }, /not newer than 0\.10\.0/],
  ['the one of package.json', { version: '0.1.0' }, /not newer/],
  ['an empty changelog', { changelog: dateChangelog(CHANGELOG, '0.1.9', new Date()) }, /nothing under/],
])('refuses %s', (_, changes, fault) => {
  expect(releaseFaults(facts(changes)).join('\n')).toMatch(fault)
})

it('lets the examples ask for it, and all of them for the version of this package', () => {
  const example = '{"dependencies":{"clerk-sync": "^0.1.0", "express": "^5.0.0"}}'
  expect(withVersion(example, '0.2.0')).toBe(example.replace('0.1.0', '0.2.0'))
  const examples = globSync('examples/*/package.json', { cwd: new URL('../..', import.meta.url) })
  expect(examples.length).toBeGreaterThan(2)
  for (const path of examples)
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toContain(
      `"^${manifest.version}"`,
    )
})

it('dates the changelog, and takes the notes from it', () => {
  const dated = dateChangelog(CHANGELOG, '0.2.0', new Date('2026-11-27T23:00:00Z'))
  expect(dated).toBe(
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-11-27)\n\n- New.\n\n## 0.1.9 (2026-01-01)\n\n- Old.\n',
  )
  expect([notesOf('0.2.0', dated), notesOf('0.1.9', dated), notesOf('0.2', dated)]).toEqual([
    '- New.',
    '- Old.',
    '',
  ])
  expect(faultsOf('v0.2.0', '0.2.0', dated)).toEqual([])
})

it('writes bills of materials of what the package installs or bundles, as it is locked, and of nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-sbom-'))
  await writeBillsOfMaterials(folder)
  const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'))
  const [cyclonedx, spdx] = await Promise.all([read('sbom.cdx.json'), read('sbom.spdx.json')])
  await rm(folder, { recursive: true })
  expect([cyclonedx.bomFormat, cyclonedx.specVersion, spdx.spdxVersion]).toEqual([
    'CycloneDX',
    '1.5',
    'SPDX-2.3',
  ])
  const self = `pkg:npm/${manifest.name}@${manifest.version}`
  expect(cyclonedx.metadata.component.purl).toBe(self)
  const components: string[] = cyclonedx.components.map(({ purl }: { purl: string }) =>
    decodeURIComponent(purl),
  )
  const packages: string[] = spdx.packages.flatMap(({ externalRefs }: SpdxPackage) =>
    externalRefs.map(({ referenceLocator }) => decodeURIComponent(referenceLocator)),
  )
  const direct = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
  const locked = [...direct, ...BUNDLED, 'sisteransi'].map(
    (name) => `pkg:npm/${name}@${lock.packages[`node_modules/${name}` as '']?.version}`,
  )
  for (const list of [components, packages]) {
    expect(list).toEqual(expect.arrayContaining(locked))
    expect(list.filter((each) => /\/(vitest|typescript|bullmq|esbuild)@/.test(each))).toEqual([])
  }
  expect(packages.filter((each) => each !== self).sort()).toEqual(components.sort())
})

interface SpdxPackage {
  readonly externalRefs: readonly { readonly referenceLocator: string }[]
}

describe('the workflow of a release', () => {
  const { jobs } = parse(readFileSync('.github/workflows/release.yml', 'utf8'))
  const commands: string[] = jobs.publish.steps.flatMap(({ run }: { run?: string }) => run ?? [])

  it('gives npm what provenance needs, after everything was checked', () => {
    expect(jobs.publish).toMatchObject({ needs: 'check', permissions: { 'id-token': 'write' } })
    expect(commands).toContain('npm publish --provenance --access public')
    // npm compares it with the repository that the signature names.
    expect(manifest.repository.url).toMatch(/^git\+https:\/\/github\.com\/[\w-]+\/clerk-sync\.git$/)
  })

  it('publishes the files that its script writes', () => {
    const [, written = ''] = /gh release create \S+ (.*?) --/.exec(commands.join('\n')) ?? []
    expect(commands.join('\n')).toContain('node scripts/release-assets.ts ')
    expect(written.split(' ')).toEqual(['sbom.cdx.json', 'sbom.spdx.json'])
  })
})
