import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import benchManifest from '../../bench/package.json' with { type: 'json' }
import manifest from '../../package.json' with { type: 'json' }
import { callCli } from '../support/cli.ts'
import { embeddedDatabase } from '../support/databases.ts'
import { blocksOf, isOfFramework, placeOf, readBlocks, root } from './code-blocks.ts'
import { createSupabaseRoles } from './supabase.ts'
import { typeCheck } from './type-check.ts'

const blocks = readBlocks()
const inLanguage = (...languages: string[]) =>
  blocks
    .filter(({ language }) => languages.includes(language))
    .map((block) => [placeOf(block), block] as const)

describe('TypeScript in the documentation', () => {
  // Those of frameworks that are not installed here: test/frameworks/docs.framework.ts.
  const written = inLanguage('ts', 'tsx').filter(([, block]) => !isOfFramework(block))
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
  beforeAll(async () => createSupabaseRoles(await database.open()))

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
    const { code, stdout } = await callCli([...name, '--help'], { cwd: root })
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
