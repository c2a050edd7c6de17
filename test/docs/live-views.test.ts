/** Examples read the view without deleted rows: who copies one must not show people who are gone. */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CATALOGUE, CHILD_SETS } from '../../src/clerk/catalogue.ts'
import { placeOf, readBlocks, root } from './code-blocks.ts'

const TABLES = Object.keys({ ...CATALOGUE, ...CHILD_SETS }).join('|')
const READS = new RegExp(
  `\\b(?:from|join)\\s+(?:clerk\\.)?(?:${TABLES})\\b|(?:selectFrom|Join)\\('(?:clerk\\.)?(?:${TABLES})\\b`,
  'gi',
)

/** Examples of what a view cannot do name the column that marks deleted rows. */
const OF_THE_TABLE = /deleted_at/

const examples = globSync('examples/*/**/*.{ts,tsx}', { cwd: root, exclude: ['**/node_modules/**'] })
const written = [
  ...readBlocks().map((block) => [placeOf(block), block.code] as const),
  ...examples.map((path) => [path, readFileSync(join(root, path), 'utf8')] as const),
]

it('read views, unless they say what they do with deleted rows', () => {
  const found = written.filter(([, code]) => code.match(READS) && !OF_THE_TABLE.test(code))
  expect(found.map(([place, code]) => `${place}: ${code.match(READS)}`)).toEqual([])
  expect(written.filter(([, code]) => code.includes('_live')).length).toBeGreaterThan(5)
})
