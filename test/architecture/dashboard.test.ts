import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { functionsOf, linesOfCode } from './sources.ts'

const MAX_FILE_LINES = 400
const MAX_FUNCTION_LINES = 60
const ROOT = fileURLToPath(new URL('../../dashboard/src', import.meta.url))

const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))

/** Ways by which a name could become markup or code. */
const UNSAFE =
  /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:/

describe('the sources of the browser half', () => {
  it(`have no file over ${MAX_FILE_LINES} lines of code and no function over ${MAX_FUNCTION_LINES}`, () => {
    const files = sources.map(({ path, text }) => ({ path, lines: linesOfCode(text).length }))
    const functions = sources.flatMap(({ path, text }) =>
      functionsOf(text).map((each) => ({ path, ...each })),
    )
    expect(files.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([])
    expect(functions.filter(({ lines }) => lines > MAX_FUNCTION_LINES)).toEqual([])
    expect(functions.length).toBeGreaterThan(150)
  })

  it('never turn text into markup or code', () => {
    expect(sources.filter(({ text }) => UNSAFE.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('say in their first lines what they are', () => {
    expect(sources.filter(({ text }) => !text.startsWith('/**')).map(({ path }) => path)).toEqual([])
  })

  it('import only types from the server', () => {
    const found = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/^(?:import|export) (?!type).*from '(?:\.\.\/)+src\/.*$/gm)].map(
        ([line]) => `${path}: ${line}`,
      ),
    )
    expect(found).toEqual([])
  })
})
