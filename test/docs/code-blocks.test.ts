import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import benchManifest from '../../bench/package.json' with { type: 'json' }
import manifest from '../../package.json' with { type: 'json' }
import { runCli } from '../support/cli.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { blocksOf, type CodeBlock, readBlocks, root } from './code-blocks.ts'

const blocks = readBlocks()
const placeOf = ({ page, line }: CodeBlock) => `${page}:${line}`
const inLanguage = (...languages: string[]) =>
  blocks
    .filter(({ language }) => languages.includes(language))
    .map((block) => [placeOf(block), block] as const)

const run = promisify(execFile)
const typescript = createRequire(import.meta.url).resolve('typescript/package.json')

/** `clerk-sync/next` → its source. */
const paths = Object.fromEntries(
  Object.entries(manifest.exports)
    .filter(([, target]) => target.endsWith('.js'))
    .map(([subpath, target]) => [
      join(manifest.name, subpath),
      [join(root, target.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))],
    ]),
)

/** What examples speak of without saying where it is from. */
const GIVEN = `
import type { ClerkSync } from 'clerk-sync'
declare global {
  const sync: ClerkSync
  const request: Request
}`

/** Type-checks blocks against the sources, in one run; returns the complaints by place. */
async function typeCheck(checked: readonly CodeBlock[]): Promise<Map<string, string[]>> {
  await mkdir(join(root, 'node_modules/.cache'), { recursive: true })
  const folder = await mkdtemp(join(root, 'node_modules/.cache/docs-'))
  const files = new Map(checked.map((block, at) => [`${at}.${block.language}`, block]))
  for (const [name, { line, code }] of files) {
    // On the same line as in the page, so that a complaint's line number is right.
    await writeFile(join(folder, name), `${'\n'.repeat(line - 1)}${code}\nexport {}\n`)
  }
  await writeFile(join(folder, 'given.d.ts'), GIVEN)
  const compilerOptions = {
    paths,
    jsx: 'react-jsx',
    noUnusedLocals: false,
    rootDir: root,
    types: ['node', 'react'],
  }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['.'], exclude: [] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(typescript, '../bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false']).catch(
    (error) => error,
  )
  await rm(folder, { recursive: true })
  return complaintsIn(stdout, files)
}

function complaintsIn(output: string, files: ReadonlyMap<string, CodeBlock>): Map<string, string[]> {
  const complaints = new Map<string, string[]>()
  for (const complaint of output.split(/\n(?=\S)/).filter((line) => line.trim() !== '')) {
    const [, path = '', line = '', text = complaint] = /^(.+?)\((\d+),\d+\): ([\s\S]*)$/.exec(complaint) ?? []
    const block = files.get(basename(path))
    const place = block ? placeOf(block) : 'elsewhere'
    complaints.set(place, [...(complaints.get(place) ?? []), `line ${line}: ${text.trim()}`])
  }
  return complaints
}

describe('TypeScript in the documentation', () => {
  const written = inLanguage('ts', 'tsx')
  let complaints: Map<string, string[]>
  beforeAll(async () => {
    complaints = await typeCheck(written.map(([, block]) => block))
  }, 120_000)

  it('is found', () => {
    expect(written.length).toBeGreaterThan(8)
    expect(complaints.get('elsewhere')).toBeUndefined()
  })

  it.each(written)('compiles: %s', (place) => {
    expect(complaints.get(place)).toBeUndefined()
  })

  it('would be refused if it used what there is not', async () => {
    const wrong = blocksOf(
      'page.md',
      "# A\n\n```ts\nimport { nothing } from 'clerk-sync'\nsync.nothing()\n```\n",
    )
    const found = (await typeCheck(wrong)).get('page.md:4')
    expect(found).toEqual([
      expect.stringMatching(/^line 4: .*nothing/),
      expect.stringMatching(/^line 5: .*nothing/),
    ])
  })
})

describe('SQL in the documentation', () => {
  const database = embeddedDatabase()

  it.each(inLanguage('sql'))('runs: %s', async (_, { code }) => {
    const { database: queries } = await database.open()
    await expect(sql.raw(code).execute(queries)).resolves.toBeDefined()
  })
})

describe('commands in the documentation', () => {
  const shell = inLanguage('sh')
  const commands = shell.flatMap(([place, { code }]) =>
    [
      ...code.matchAll(
        /\bclerk-sync (?:-- )?([a-z]+(?: (?:list|show|replay|retry|discard|pause|resume|run)\b)?)([^\n#|]*)/g,
      ),
    ].map(
      ([line, name = '', rest = '']) =>
        [`${line.trim()} (${place})`, name.split(' '), flagsIn(rest)] as const,
    ),
  )
  const scripts = shell.flatMap(([place, { code }]) =>
    [...code.matchAll(/\bnpm (?:run ([\w:-]+)|(test))( --prefix bench)?/g)].map(
      ([line, name, test, prefix]) =>
        [`${line} (${place})`, (prefix ? benchManifest : manifest).scripts, name ?? test] as const,
    ),
  )

  it.each(commands)('exist with their flags: %s', async (_, name, flags) => {
    const { code, stdout } = await runCli([...name, '--help'], { cwd: root })
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: clerk-sync ${name.join(' ')}`)
    expect(flags.filter((flag) => !stdout.includes(flag))).toEqual([])
  })

  it.each(scripts)('are scripts of their package: %s', (_, known, name) => {
    expect(known).toHaveProperty([name as string])
  })

  it('are found', () => {
    expect(commands.length).toBeGreaterThan(4)
    expect(scripts.length).toBeGreaterThan(2)
  })
})

function flagsIn(words: string): string[] {
  return words.match(/(?<=\s)--[a-z-]+/g) ?? []
}
