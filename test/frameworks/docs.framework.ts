/** The snippets of the documentation that import what only a framework's app has. */

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FRAMEWORK_PACKAGES, readBlocks, root } from '../docs/code-blocks.ts'
import { typeCheck } from '../docs/type-check.ts'

it.each(Object.entries(FRAMEWORK_PACKAGES))('compile in the folder %s', async (folder, pattern) => {
  const blocks = readBlocks().filter(({ language, code }) => /^tsx?$/.test(language) && pattern.test(code))
  expect(blocks.length).toBeGreaterThan(0)
  expect(Object.fromEntries(await typeCheck(blocks, join(root, 'test/frameworks', folder)))).toEqual({})
})
