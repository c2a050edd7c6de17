/** Type-checks the TypeScript of the documentation against the sources. */

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { type CodeBlock, placeOf, root } from './code-blocks.ts'

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

/** The configuration of the reader's app, wherever it is. */
const CONFIG = ['', '.js', '.ts']
  .map(
    (ending) =>
      `declare module '*/clerk-sync.config${ending}' { const config: import('clerk-sync').ClerkSyncOptions; export default config }\n`,
  )
  .join('')

/**
 * Type-checks blocks in one run; returns the complaints by place.
 * @param project whose packages they import
 */
export async function typeCheck(
  checked: readonly CodeBlock[],
  project = root,
): Promise<Map<string, string[]>> {
  await mkdir(join(project, 'node_modules/.cache'), { recursive: true })
  const folder = await mkdtemp(join(project, 'node_modules/.cache/docs-'))
  const files = new Map(checked.map((block, at) => [`${at}.${block.language}`, block]))
  for (const [name, { line, code }] of files) {
    // On the same line as in the page, so that a complaint's line number is right.
    await writeFile(join(folder, name), `${'\n'.repeat(line - 1)}${code}\nexport {}\n`)
  }
  await writeFile(join(folder, 'given.d.ts'), GIVEN)
  await writeFile(join(folder, 'configuration.d.ts'), CONFIG)
  const compilerOptions = {
    paths,
    jsx: 'react-jsx',
    noUnusedLocals: false,
    experimentalDecorators: true,
    typeRoots: [join(root, 'node_modules/@types')],
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
