import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { BUNDLED } from '../../scripts/bundle-cli.ts'
import { readSources } from '../architecture/sources.ts'

const sources = readSources()

it('installs the database drivers and nothing else', () => {
  expect(Object.keys(manifest.dependencies)).toEqual(['@types/pg', 'kysely', 'pg'])
  expect(Object.keys(manifest.optionalDependencies)).toEqual(['@electric-sql/pglite'])
})

it.each(BUNDLED)('bundles %s, which only the command line imports', (name) => {
  const importers = sources.filter(({ imports }) => imports.some(({ specifier }) => specifier === name))
  expect(importers.length).toBeGreaterThan(0)
  expect(importers.filter(({ path }) => !/^(cli|middleware)\//.test(path))).toEqual([])
})
