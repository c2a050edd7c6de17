import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { readSources, root } from './sources.ts'

/** Every subpath, with the source that it is built from. */
const entries = Object.entries(manifest.exports)
  .filter(([, target]) => target.endsWith('.js'))
  .map(([subpath, target]) => [posix.join(manifest.name, subpath), sourceOf(target)] as const)

function sourceOf(target: string): string {
  return target.replace('./dist/', '').replace(/\.js$/, '.ts')
}

const EXPORTED_LIST = /^export (type )?\{([^}]*)\}/gm
const EXPORTED_DECLARATION = /^export (?:async )?(const|function|class|interface|type) (\w+)/gm
const EXPORTED_ALL = /^export (?:type )?\* from '([^']+)'/gm

/** The names that a file exports; types are marked, since nobody can import them at run time. */
function namesOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  const listed = [...text.matchAll(EXPORTED_LIST)].flatMap(([, type = '', list = '']) =>
    list.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [`${type}${entry.trim()}`])),
  )
  const declared = [...text.matchAll(EXPORTED_DECLARATION)].map(([, kind = '', name]) =>
    /interface|type/.test(kind) ? `type ${name}` : `${name}`,
  )
  const all = [...text.matchAll(EXPORTED_ALL)].flatMap(([, specifier = '']) =>
    namesOf(posix.join(posix.dirname(path), specifier)),
  )
  return [...listed, ...declared, ...all]
}

const byName = (a: string, b: string) => a.replace('type ', '').localeCompare(b.replace('type ', ''), 'en')

it('has a public surface that changes on purpose only; `npx vitest -u` accepts it', async () => {
  const surface = entries.map(([subpath, path]) => [subpath, ...namesOf(path).sort(byName)].join('\n  '))
  await expect(`${surface.join('\n\n')}\n`).toMatchFileSnapshot('surface.txt')
})

it.each(entries)('reads of %s exactly the names that it has at run time', async (_, path) => {
  const module = await import(join(root, path))
  const values = namesOf(path).filter((name) => !name.startsWith('type '))
  expect(Object.keys(module).sort()).toEqual(values.sort())
})

it('has the types of every subpath where TypeScript reads no `exports`, too', () => {
  const types = (target: string) => target.replace(/\.js$/, '.d.ts')
  const mirrored = Object.entries(manifest.exports)
    .filter(([subpath, target]) => subpath !== '.' && target.endsWith('.js'))
    .map(([subpath, target]) => [subpath.replace('./', ''), [types(target)]])
  expect(manifest.typesVersions).toEqual({ '*': Object.fromEntries(mirrored) })
  expect([manifest.main, manifest.types]).toEqual([manifest.exports['.'], types(manifest.exports['.'])])
})

it('has a subpath for every adapter', () => {
  const adapters = readSources().flatMap(({ path, text }) =>
    path.startsWith('adapters/') && text.includes('@module clerk-sync/') ? [path] : [],
  )
  const paths = entries.map(([, path]) => path).filter((path) => path.startsWith('adapters/'))
  expect(paths).toEqual(adapters.sort())
  expect(paths.length).toBeGreaterThan(4)
})
