import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const TESTS = fileURLToPath(new URL('../', import.meta.url))
const OWN = 'architecture/quick-tests.test.ts'

it('the files of npm test replace no module: the next file in their process would get it too', () => {
  const files = globSync('**/*.test.ts', { cwd: TESTS }).filter((path) => path !== OWN)
  const replacing = files.filter((path) => readFileSync(TESTS + path, 'utf8').includes('vi.mock('))
  expect(replacing.map((path) => `${path}: name it *.system.ts`)).toEqual([])
  expect(files.length).toBeGreaterThan(100)
})
