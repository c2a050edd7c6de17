import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { faultsOf, writeBillsOfMaterials } from '../../scripts/release.ts'

it('refuses a tag that is another version, and a version without a changelog', () => {
  const changelog = '# Changelog\n\n## 1.2.3\n\n- x\n'
  expect(faultsOf('v1.2.3', '1.2.3', changelog)).toEqual([])
  expect(faultsOf('v1.2.4', '1.2.3', changelog)).toHaveLength(1)
  expect(faultsOf('v1.2.4', '1.2.4', changelog)).toHaveLength(1)
})

it('writes bills of materials with what the package installs, and nothing of development', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-sbom-'))
  await writeBillsOfMaterials(folder)
  const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'))
  const [cyclonedx, spdx] = await Promise.all([read('sbom.cdx.json'), read('sbom.spdx.json')])
  await rm(folder, { recursive: true })
  const lists = [
    cyclonedx.components.map(({ name }: { name: string }) => name.split('/').at(-1)),
    spdx.packages.map(({ name }: { name: string }) => name.split('/').at(-1)),
  ]
  for (const names of lists) {
    expect(names).toEqual(
      expect.arrayContaining(Object.keys(manifest.dependencies).map((each) => each.split('/').at(-1))),
    )
    expect(names).not.toContain('vitest')
  }
})
