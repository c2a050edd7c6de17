import { describe, expect, it } from 'vitest'
import { functionsOf, linesOfCode, readSources } from './sources.ts'

const MAX_FILE_LINES = 400
const MAX_FUNCTION_LINES = 60
const MAX_MEDIAN_LINES = 10
/** Released SQL, frozen: data, not code. */
const MIGRATIONS = /^database\/migrations\//

const sources = readSources().filter(({ path }) => !MIGRATIONS.test(path))

/** Where a type can stand. In SQL `any(` is a function. */
const ANY = /(?:[:<|&]|\bas|,) any\b(?!\()|\bany\[\]|<any\b/

describe('the sources', () => {
  it(`have no file over ${MAX_FILE_LINES} lines of code`, () => {
    const sizes = sources.map(({ path, text }) => ({ path, lines: linesOfCode(text).length }))
    expect(sizes.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([])
  })

  it(`have no function over ${MAX_FUNCTION_LINES} lines`, () => {
    const sizes = sources.flatMap(({ path, text }) => functionsOf(text).map((each) => ({ path, ...each })))
    expect(sizes.filter(({ lines }) => lines > MAX_FUNCTION_LINES)).toEqual([])
    expect(sizes.length).toBeGreaterThan(300)
  })

  it(`have a median function of at most ${MAX_MEDIAN_LINES} lines`, () => {
    const lines = sources.flatMap(({ text }) => functionsOf(text).map((each) => each.lines))
    const median = lines.toSorted((a, b) => a - b)[Math.floor(lines.length / 2)]
    expect(median).toBeLessThanOrEqual(MAX_MEDIAN_LINES)
  })

  it('have no `any`', () => {
    const found = sources.flatMap(({ path, text }) =>
      linesOfCode(text).flatMap((line) => (ANY.test(line) ? [`src/${path}: ${line.trim()}`] : [])),
    )
    expect(found).toEqual([])
  })

  it('say in their first lines what they are', () => {
    const silent = sources.filter(
      ({ path, text }) => !/^(#!.*\n)?\/\*\*/.test(text) && !path.startsWith('clerk/resources/'),
    )
    expect(silent.map(({ path }) => `src/${path} has no header comment`)).toEqual([])
  })
})

describe('the measure', () => {
  const sizes = (text: string) => functionsOf(text).map(({ lines }) => lines)
  const body = (count: number, indentation: string) => `${indentation}x()\n`.repeat(count)

  it.each([
    ['a function', `function f(a: string): void {\n${body(3, '  ')}}\n`, [5]],
    ['an exported async function', `export async function f() {\n${body(1, '  ')}}\n`, [3]],
    ['an arrow function', `const f = (a: number) => {\n${body(2, '  ')}}\n`, [4]],
    ['a method', `class A {\n  async #f(a: B): Promise<void> {\n${body(4, '    ')}  }\n}\n`, [6]],
    ['a head that closes a pattern', `function f({\n  a,\n}: B): void {\n${body(1, '  ')}}\n`, [3]],
    ['a long head', `function f(\n  a: string,\n): void {\n${body(1, '  ')}}\n`, [3]],
    ['functions in functions', `function f() {\n  g(() => {\n${body(2, '    ')}  })\n}\n`, [6, 4]],
    ['no blocks', `if (a) {\n  x()\n} else if (b) {\n  x()\n}\nfor (const a of b) {\n  x()\n}\n`, []],
    ['no comments', `function f() {\n  // x\n\n  /* y\n   z */\n  x()\n}\n`, [3]],
  ])('counts %s', (_, text, lines) => {
    expect(sizes(text)).toEqual(lines)
  })

  it.each([
    ['let a: any', true],
    ['x as any', true],
    ['Record<string, any>', true],
    ['Array<any>', true],
    ['any[]', true],
    ['f(a: string | any)', true],
    ['where id = any($1::text[])', false],
    ['const many: number', false],
  ])('finds `any` in %j: %s', (line, isFound) => {
    expect(ANY.test(line)).toBe(isFound)
  })
})
