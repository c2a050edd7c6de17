/** `clerk-sync/testing`, installed, under the test runners and module settings that people have. */

import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const cwd = fileURLToPath(new URL('testing', import.meta.url))
const node = (words: readonly string[], env: object = {}) =>
  run(process.execPath, words, { cwd, env: { ...process.env, NO_COLOR: '1', ...env } })

it('runs under Jest, in ES modules and in CommonJS', async () => {
  const words = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js']
  const { stderr } = await node(words)
  expect(stderr).toMatch(/Tests: +2 passed, 2 total/)
})

it('runs under node:test, in CommonJS', async () => {
  const { stdout } = await node(['--test', '--test-reporter=tap', ...globSync('node/*.cjs', { cwd })], {
    NODE_TEST_CONTEXT: undefined,
  })
  expect(stdout).toMatch(/^# pass 1$/m)
})

it.each(['node16', 'node20'])('has its types in CommonJS under module %s', async (module) => {
  const words = ['--strict', '--noEmit', '--skipLibCheck', '--types', 'node', '--target', 'es2022']
  await expect(
    node(['node_modules/typescript/bin/tsc', ...words, '--module', module, `${module}.cts`]),
  ).resolves.toMatchObject({ stdout: '' })
})
